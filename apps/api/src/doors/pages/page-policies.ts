import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyHelmetOptions } from '@fastify/helmet';
import { helmetFor } from '../security-headers.js';

/** The API reference page. Its images are in its style sheet. */
export const forDocs = helmetFor({
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
});

/** The dashboard in `folder`: its pages contain inline scripts and styles, and only these scripts may run. */
export async function forDashboard(folder: string): Promise<FastifyHelmetOptions> {
  return helmetFor({
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'", ...(await inlineScripts(folder))],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    manifestSrc: ["'self'"],
  });
}

/** The hashes of the inline scripts in the pages of a folder, in the form of a content security policy. */
async function inlineScripts(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const pages = await Promise.all(
    files.filter((file) => file.endsWith('.html')).map((file) => readFile(join(folder, file), 'utf8')),
  );
  const hashes = pages
    .flatMap((page) => [...page.matchAll(/<script(?:\s[^>]*)?>([\s\S]*?)<\/script>/gi)])
    .map(([, script = '']) => script)
    .filter((script) => script !== '')
    .map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  return [...new Set(hashes)];
}

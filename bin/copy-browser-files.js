import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Puts what the doors serve to browsers as it is, the files in folders named `browser`, beside the compiled code. Run in the
 * folder of a project, after the compiler.
 */
for (const folder of readdirSync('src', { recursive: true, withFileTypes: true }))
  if (folder.isDirectory() && folder.name === 'browser') {
    const from = join(folder.parentPath, folder.name);
    cpSync(from, from.replace(/^src/, 'dist'), { recursive: true });
  }

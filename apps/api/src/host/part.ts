import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Contributed } from '../composition/contributions.js';
import type { Migration } from '../composition/migration.js';
import type { Host } from './host.js';

/** The application as doors and units see it: `get(CommandBus)`, `get(QueryBus)`, `get(LiveRooms)`, ... */
export type Application = Pick<INestApplicationContext, 'get'>;

type Shape = Readonly<Record<string, z.ZodType>>;
type Values<S extends Shape> = { readonly [name in keyof S]: z.infer<S[name]> };

/** Something that runs by itself beside the application. A door is one that lets clients in. */
export interface Unit<S extends Shape = Shape> {
  /** One word, for log lines and tests. */
  readonly name: string;
  /** Settings of the environment that are its own: a schema for each. Without the unit they are ignored. */
  readonly settings?: S;
  /** Its tables, migrated before anything is opened. */
  readonly migrations?: readonly Migration[];
  /** Its providers, and its controllers or gateways. */
  readonly module?: Type | DynamicModule;
  /** Builds it; nothing reaches it yet. */
  open(application: Application, host: Host, settings: Values<S>): Opened | Promise<Opened>;
}

/** Translates between clients and the application. */
export interface Door<S extends Shape = Shape> extends Unit<S> {
  /** For a door with Nest controllers or gateways: called before Nest makes their routes in `scope`. */
  configure?(app: NestFastifyApplication, scope: FastifyInstance, host: Host): void | Promise<void>;
}

/** A door or unit that is in place. */
export interface Opened extends Contributed {
  /** Lines of the startup output, if it has some: what is there, and where clients find it once the listeners are open. */
  readonly announced?: readonly { readonly title: string; readonly address: () => string }[];
  /** Called when the feed runs and the listeners accept connections. */
  start?(): void | Promise<void>;
  /** Called first at a shutdown: nobody new is let in, and nothing more is accepted when it resolves. */
  drain?(): void | Promise<void>;
  /** Called when everything accepted has been stored: lets go of clients, ends work. */
  close?(): void | Promise<void>;
}

/** Declares a door; the compiler derives the type of its settings. */
export const door = <S extends Shape>(declaration: Door<S>): Door => declaration as unknown as Door;

/** Declares a unit; the compiler derives the type of its settings. */
export const unit = <S extends Shape>(declaration: Unit<S>): Unit => declaration as unknown as Unit;

/** Drains parts, all at once. */
export async function drainAll(parts: readonly Opened[]): Promise<void> {
  await Promise.all(parts.map((part) => part.drain?.()));
}

/** Closes parts, the last opened first, and takes them off the list. */
export async function closeAll(parts: Opened[]): Promise<void> {
  for (let part = parts.pop(); part; part = parts.pop()) await part.close?.();
}

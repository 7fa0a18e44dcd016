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

/** Something that runs by itself beside the application. A door is a unit that serves clients. */
export interface Unit<S extends Shape = Shape> {
  /** One word, for log lines and tests. */
  readonly name: string;
  /** Its own environment settings: a schema for each. Without the unit they are ignored. */
  readonly settings?: S;
  /** Its tables, migrated before anything is opened. */
  readonly migrations?: readonly Migration[];
  /** Its providers, and its controllers or gateways. */
  readonly module?: Type | DynamicModule;
  /** Builds it; it is not reachable yet. */
  open(application: Application, host: Host, settings: Values<S>): Opened | Promise<Opened>;
}

/** Translates between clients and the application. */
export interface Door<S extends Shape = Shape> extends Unit<S> {
  /** For doors with Nest controllers or gateways: called before Nest creates their routes in `scope`. */
  configure?(app: NestFastifyApplication, scope: FastifyInstance, host: Host): void | Promise<void>;
}

/** A door or unit that has been opened. */
export interface Opened extends Contributed {
  /** Lines for the startup output, if any: what it is, and where clients reach it once the listeners are open. */
  readonly announced?: readonly { readonly title: string; readonly address: () => string }[];
  /** Called when the feed runs and the listeners accept connections. */
  start?(): void | Promise<void>;
  /** Called first at a shutdown: refuses new clients, and resolves once nothing more is accepted. */
  drain?(): void | Promise<void>;
  /** Called when everything accepted has been stored: disconnects clients and stops work. */
  close?(): void | Promise<void>;
}

/** Declares a door; the compiler infers the type of its settings. */
export const door = <S extends Shape>(declaration: Door<S>): Door => declaration as unknown as Door;

/** Declares a unit; the compiler infers the type of its settings. */
export const unit = <S extends Shape>(declaration: Unit<S>): Unit => declaration as unknown as Unit;

/** Drains parts concurrently. */
export async function drainAll(parts: readonly Opened[]): Promise<void> {
  await Promise.all(parts.map((part) => part.drain?.()));
}

/** Closes parts, the last opened first, and removes them from the list. */
export async function closeAll(parts: Opened[]): Promise<void> {
  for (let part = parts.pop(); part; part = parts.pop()) await part.close?.();
}

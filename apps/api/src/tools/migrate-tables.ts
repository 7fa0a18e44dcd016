import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { migrate } from '@verbatim/event-store';
import { deskSchema } from '@verbatim/projections';
import type { Sql } from 'postgres';
import { MIGRATIONS, type Migration } from '../composition/migration.js';
import { NestLog } from '../composition/nest-log.js';
import { OpenResources } from '../composition/open-resources.js';
import { type ProcessOptions, processModule } from '../composition/process-module.js';
import { LimitsModule } from '../limits/limits-module.js';
import { connect } from '../storage/database/pool.js';
import { explainStart } from '../storage/database/unusable-server.js';
import { TablesModule } from '../storage/storage-module.js';
import { FILLING, SQL } from '../storage/tokens.js';
import type { ToolsOptions } from './tools.js';

/** A step of a migration, as the database records it. */
export interface StepTaken {
  readonly schema: string;
  readonly component: string;
  readonly step: number;
}

/**
 * Brings all tables up to date that no rebuild brings back, those of doors and units (`further`) included, and returns what was done.
 * Opens the log and the vault, and nothing else of the service; `filling`: also of a database that is not complete. Rejects with UnusableServer, among others.
 */
export async function migrateTables(
  options: ToolsOptions,
  further: readonly Migration[],
  { filling = false } = {},
): Promise<StepTaken[]> {
  const resources = new OpenResources();
  try {
    const before = new Set((await stepsIn(options.database.directUrl)).map(nameOf));
    const values = [
      { provide: MIGRATIONS, useValue: further },
      { provide: FILLING, useValue: filling },
    ];
    const context = await NestFactory.createApplicationContext(tablesModule({ ...options, resources, values }), {
      logger: new NestLog(options.log),
      abortOnError: false,
    });
    await migrate(context.get<Sql>(SQL), 'desk', 'read models', deskSchema);
    await context.close();
    return (await stepsIn(options.database.directUrl)).filter((step) => !before.has(nameOf(step)));
  } catch (error) {
    throw await explainStart(error, options.config, options.database);
  } finally {
    await resources.close();
  }
}

@Module({})
class MigratingModule {}

const tablesModule = (options: ProcessOptions): DynamicModule => ({
  module: MigratingModule,
  imports: [processModule(options), LimitsModule, TablesModule],
});

const nameOf = ({ schema, component, step }: StepTaken): string => `${schema}/${component}/${step}`;

async function stepsIn(url: string): Promise<StepTaken[]> {
  const sql = connect(url);
  try {
    const schemas = await sql<{ schema: string }[]>`
      select schemaname as schema from pg_tables where tablename = 'migrations' order by 1`;
    const steps: StepTaken[] = [];
    for (const { schema } of schemas)
      steps.push(
        ...(await sql<StepTaken[]>`
          select ${schema} as schema, component, step from ${sql(schema)}.migrations order by component, step`),
      );
    return steps;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

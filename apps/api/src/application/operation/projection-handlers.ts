import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Rejection, reject } from '@verbatim/domain';
import type { ReadSide } from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';
import type { Identity } from '../sessions/authentication.js';
import { Proving } from '../sessions/proving.js';
import { Rebuilds } from './rebuilds.js';

/** The progress of the read models, and the running rebuild. */
export interface ProjectionProgress {
  readonly schema: string;
  readonly status: Awaited<ReturnType<ReadSide['status']>>;
  readonly rebuild: Awaited<ReturnType<ReadSide['rebuildUnderWay']>>;
}

/** Reads the progress of the read models. */
@Injectable()
export class ProjectionProgressReader {
  constructor(private readonly readModels: ReadModels) {}

  async read(): Promise<ProjectionProgress> {
    const { side } = this.readModels;
    const [status, rebuild] = await Promise.all([side.status(), side.rebuildUnderWay()]);
    return { schema: side.schema(), status, rebuild };
  }
}
export class GetProjectionsQuery extends Query<ProjectionProgress> {}

@QueryHandler(GetProjectionsQuery)
export class GetProjectionsHandler implements IQueryHandler<GetProjectionsQuery> {
  constructor(private readonly reader: ProjectionProgressReader) {}

  execute(): Promise<ProjectionProgress> {
    return this.reader.read();
  }
}

/** Starts a rebuild of the read models. Requires a recent proof of identity. */
export class RebuildProjectionsCommand extends Command<ProjectionProgress | Rejection> {
  constructor(readonly identity: Identity) {
    super();
  }
}

@CommandHandler(RebuildProjectionsCommand)
export class RebuildProjectionsHandler implements ICommandHandler<RebuildProjectionsCommand> {
  constructor(
    private readonly proving: Proving,
    private readonly rebuilds: Rebuilds,
    private readonly reader: ProjectionProgressReader,
  ) {}

  async execute({ identity }: RebuildProjectionsCommand): Promise<ProjectionProgress | Rejection> {
    const unproved = await this.proving.demandProof(identity);
    if (unproved) return unproved;
    if (!(await this.rebuilds.begin())) return reject('Conflict', 'A rebuild is already running.');
    return this.reader.read();
  }
}

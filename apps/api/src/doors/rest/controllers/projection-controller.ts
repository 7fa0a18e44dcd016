import { Controller } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Projections } from '@verbatim/protocol';
import {
  GetProjectionsQuery,
  type ProjectionProgress,
  RebuildProjectionsCommand,
} from '../../../application/operation/projection-handlers.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { accepted } from '../../refusal.js';
import { By, Call } from '../call.js';

/** Progress of the read models, and rebuilding them. */
@Controller()
export class ProjectionController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Call('getProjections')
  async get(): Promise<Projections> {
    return projectionsAnswer(await this.queries.execute(new GetProjectionsQuery()));
  }

  @Call('rebuildProjections')
  async rebuild(@By() identity: Identity): Promise<Projections> {
    return projectionsAnswer(accepted(await this.commands.execute(new RebuildProjectionsCommand(identity))));
  }
}

function projectionsAnswer({ schema, status, rebuild }: ProjectionProgress): Projections {
  const { position, head, lag, movedAt, search, projecting } = status;
  return {
    schema,
    head: place(head),
    projecting,
    groups: [
      { name: 'timeline', checkpoint: place(position), lag, movedAt: time(movedAt) },
      { name: 'search', checkpoint: place(search.position), lag: search.lag, movedAt: time(search.movedAt) },
    ],
    rebuild: rebuild && {
      schema: rebuild.schema,
      done: Number(rebuild.position) + 1,
      total: Number(rebuild.head) + 1,
    },
  };
}

const place = (position: bigint): number | null => (position < 0n ? null : Number(position));

const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

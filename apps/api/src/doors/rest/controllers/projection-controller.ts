import { Controller } from '@nestjs/common';
import type { Projections } from '@verbatim/protocol';
import type { Identity } from '../../../application/accounts/authentication.js';
import { Rebuilds } from '../../../application/operation/rebuilds.js';
import { Proving } from '../../../application/sessions/proving.js';
import { ReadModels } from '../../../storage/read-models.js';
import { Refusal } from '../../refusal.js';
import { By, Call } from '../call.js';

/** How far the read models are, and building them anew. */
@Controller()
export class ProjectionController {
  constructor(
    private readonly readModels: ReadModels,
    private readonly rebuilds: Rebuilds,
    private readonly proving: Proving,
  ) {}

  @Call('getProjections')
  async get(): Promise<Projections> {
    const { side } = this.readModels;
    const [status, rebuild] = await Promise.all([side.status(), side.rebuildUnderWay()]);
    const { position, head, lag, movedAt, search, projecting } = status;
    return {
      schema: side.schema(),
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

  @Call('rebuildProjections')
  async rebuild(@By() identity: Identity): Promise<Projections> {
    await this.proving.demandProof(identity);
    if (!(await this.rebuilds.begin())) throw new Refusal('conflict', 'A rebuild is running already.');
    return this.get();
  }
}

const place = (position: bigint): number | null => (position < 0n ? null : Number(position));

const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject } from '@verbatim/domain';
import { tarEnd, tarHeader, tarPadding } from '@verbatim/transparency';
import { type StoredExport, StoredExports } from '../../storage/exports/stored-exports.js';
import { ExportAccess } from './export-access.js';
import { noSuchExport } from './export-handlers.js';

/** The files of a bundle, in order; those after the first two are listed in the manifest. */
export const bundleFiles = [
  ...(['manifest.json', 'manifest.json.sig', 'checkpoint', 'events.ndjson', 'messages.csv'] as const),
  ...(['transcript.html', 'messages.mbox'] as const),
] as const;
export type BundleFileName = (typeof bundleFiles)[number];

/** Length of the archive of files with these lengths. */
export const archiveLength = (lengths: ReadonlyMap<string, number>): number =>
  bundleFiles.reduce((sum, file) => {
    const length = lengths.get(file) ?? 0;
    return sum + tarHeader(file, length).length + length + tarPadding(length).length;
  }, tarEnd.length);

/** A finished bundle as a tar archive. */
export interface Bundle {
  readonly length: number;
  /** Part by part, as it is read. Throws ExportGone when it is deleted meanwhile. */
  content(): AsyncGenerator<Buffer>;
}

/** The bundle of one of the actor's own exports, if they still may read what is in it. */
export class GetExportBundleQuery extends Query<Bundle | Rejection> {
  constructor(
    readonly exportId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(GetExportBundleQuery)
export class GetExportBundleHandler implements IQueryHandler<GetExportBundleQuery> {
  constructor(
    private readonly exports: StoredExports,
    private readonly access: ExportAccess,
  ) {}

  async execute({ exportId, actor }: GetExportBundleQuery): Promise<Bundle | Rejection> {
    const stored = await this.exports.find(exportId);
    if (stored?.userId !== actor.id) return noSuchExport;
    const reader = await this.access.readerFor(actor, stored.scope);
    if (isRejection(reader)) return reader;
    if (stored.status !== 'done') return reject('Conflict', stored.problem ?? 'The export is not done yet.');
    const lengths = await this.exports.lengths(exportId);
    return { length: archiveLength(lengths), content: () => this.archive(stored, lengths) };
  }

  private async *archive(stored: StoredExport, lengths: ReadonlyMap<string, number>): AsyncGenerator<Buffer> {
    for (const file of bundleFiles) {
      const length = lengths.get(file) ?? 0;
      yield tarHeader(file, length);
      yield* this.exports.content(stored, file, length);
      yield tarPadding(length);
    }
    yield tarEnd;
  }
}

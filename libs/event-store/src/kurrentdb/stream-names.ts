import { type Filter, streamNameFilter } from '@kurrent/kurrentdb-client';
import { streamCategories } from '@verbatim/domain';

/** How the names of the streams that make up the log begin. */
const categories = streamCategories.map((category) => `${category}-`);

/**
 * How the streams of the log are called in KurrentDB: as they are or, where several logs share one server, behind a
 * prefix. Other streams of the server are no part of the log.
 */
export class StreamNames {
  /** Lets only events of the log through. */
  readonly filter: Filter;

  constructor(private readonly prefix: string) {
    this.filter = streamNameFilter({ prefixes: prefix ? [prefix] : categories });
  }

  /** Throws a RangeError for a stream that would never be found again. */
  inStore(stream: string): string {
    if (!this.prefix && !categories.some((category) => stream.startsWith(category)))
      throw new RangeError(`${stream} is no stream of the log; these begin with one of ${categories.join(', ')}.`);
    return this.prefix + stream;
  }

  inLog(stream: string): string {
    return stream.slice(this.prefix.length);
  }
}

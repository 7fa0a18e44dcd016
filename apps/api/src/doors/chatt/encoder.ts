import type { LiveEvent, Person } from '../../live/live-event.js';
import type { EncodedEvents, Encoder } from '../../live/subscriber.js';
import { Publication } from './publication.js';
import { textTopic } from './topics.js';

/** A text of a room on its way to clients, or events that chaTT cannot show, which only move the place in the room. */
export class Piece implements EncodedEvents {
  /** Null: nothing to send. A promise: the author's name is being looked up. */
  publication: Publication | null | Promise<Publication | null>;

  constructor(
    readonly roomId: string,
    readonly through: bigint,
    publication: Publication | null | Promise<Publication | null>,
    /** Null if there is no text. */
    readonly messageId: string | null = null,
  ) {
    this.publication = publication;
    if (publication instanceof Promise)
      void publication.then((known) => {
        this.publication = known;
      });
  }

  readonly bytes = nothing;
}

const nothing = Buffer.alloc(0);

/** Returns an author's name at this door, or looks it up. */
export type NameOf = (person: Person) => string | Promise<string>;

/** Encodes each text as `{"author","text"}` in its own packet. chaTT has no edits, reactions and other events. */
export function chattEncoder(topicOf: (roomId: string) => string | null, nameOf: NameOf): Encoder {
  const encode = (roomId: string, { event, actor, replaced }: LiveEvent): Piece['publication'] => {
    const topic = topicOf(roomId);
    if (event.type !== 'MessagePosted' || replaced || !actor || topic === null || event.data.text === null) return null;
    const text = event.data.kind === 'action' ? `* ${event.data.text}` : event.data.text;
    const name = nameOf(actor);
    return typeof name === 'string' ? said(topic, name, text) : name.then((author) => said(topic, author, text));
  };
  return {
    events: (roomId, events) => {
      const pieces = events
        .map((live) => new Piece(roomId, live.revision, encode(roomId, live), messageIdOf(live)))
        .filter(({ publication }) => publication !== null);
      const last = events.at(-1)?.revision;
      if (last !== undefined && pieces.at(-1)?.through !== last) pieces.push(new Piece(roomId, last, null));
      return pieces;
    },
    removed: () => null,
    presence: () => null,
    typing: () => null,
    changed: () => null,
    unwatched: () => null,
  };
}

const messageIdOf = ({ event }: LiveEvent): string | null =>
  event.type === 'MessagePosted' ? event.data.messageId : null;

const said = (topic: string, author: string, text: string): Publication =>
  new Publication(textTopic(topic), Buffer.from(JSON.stringify({ author, text })));

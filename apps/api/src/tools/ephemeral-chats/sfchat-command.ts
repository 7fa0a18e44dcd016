import type { KeptChat } from '../../storage/ephemeral/chat-store.js';
import { type CliCommand, UsageError } from '../command.js';
import type { Tools } from '../tools.js';

/** The most chats listed, and the days of statistics shown. */
const MOST_LISTED = 200;
const DAYS = 14;

/** `npm run cli -- sfchat ...` */
export const sfchatCommand: CliCommand = {
  summary: 'shows, cleans up and ends the chats of the SFChat door',
  help: `Usage: npm run cli -- sfchat status
       npm run cli -- sfchat clear
       npm run cli -- sfchat end <id...> | --all

  status   how many chats there are, the oldest ${MOST_LISTED} of them, and how many there were on each of the last ${DAYS} days
  clear    cleans up now, which the service also does by itself: deletes chats that have ended, then ends those that are a day
           old; these are deleted the next time
  end      ends chats: what was not delivered is erased at once, and both people are told that the chat was closed
           automatically

Chats are shown by ids of their own. Codes, tokens and texts are known to the two people only, and cannot be shown.`,

  async run([action, ...args], { tools }) {
    if (action === 'status' && args.length === 0) return status(await tools());
    if (action === 'clear' && args.length === 0) return clear(await tools());
    if (action === 'end' && args.length > 0) return end(await tools(), args);
    throw new UsageError('Use sfchat status, sfchat clear, or sfchat end with ids or --all. See sfchat --help.');
  },
};

async function status({ chats }: Tools): Promise<number> {
  const { draft, ready, closed, texts } = await chats.counts();
  const lines = (await chats.list(MOST_LISTED)).map(
    ({ id, state }) => `  ${id}  ${state.status.padEnd(6)}  opened ${new Date(state.openedAt).toISOString()}`,
  );
  const days = (await chats.statistics(DAYS)).map(({ day, turn, chats }) => `  ${day}  ${turn.padEnd(6)}  ${chats}`);
  print(`${draft} waiting for the other person, ${ready} going on, ${closed} ended; ${texts} texts not confirmed.`);
  if (lines.length > 0) print(...lines);
  if (days.length > 0) print('How many chats made each transition on each day:', ...days);
  return 0;
}

async function clear({ caretaker, chats }: Tools): Promise<number> {
  const { closed, deleted } = await caretaker.cleanUp();
  await chats.removeTraces();
  print(`${closed} chat(s) closed, ${deleted} chat(s) deleted!`);
  return 0;
}

async function end({ caretaker, chats }: Tools, ids: readonly string[]): Promise<number> {
  const all = ids.length === 1 && ids[0] === '--all';
  const wanted = all ? (await chats.list(Number.MAX_SAFE_INTEGER)).filter(isOpen).map(({ id }) => id) : ids;
  let missing = 0;
  for (const id of wanted) {
    if (isId(id) && (await caretaker.end(id))) continue;
    missing += 1;
    process.stderr.write(`There is no chat ${id}.\n`);
  }
  await chats.removeTraces();
  print(`${wanted.length - missing} chat(s) closed.`);
  return missing > 0 ? 1 : 0;
}

const isOpen = ({ state }: KeptChat): boolean => state.status !== 'closed';
const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
const print = (...lines: readonly string[]) => process.stdout.write(`${lines.join('\n')}\n`);

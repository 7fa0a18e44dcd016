import { isRejection, MAINTENANCE } from '@verbatim/domain';
import { FIRST_ADMINISTRATOR } from '../../application/accounts/first-administrator.js';
import { newId } from '../../new-id.js';
import { backupCommand } from '../backup/backup-command.js';
import type { CliCommand, Surroundings } from '../command.js';
import type { Tools } from '../tools.js';
import { changePassword, createUser } from './accounts.js';
import { type Given, helpText, readArguments, type Usage, usageLine } from './arguments.js';

// The command line of makechat, with its options, output and exit codes.

interface Leaf extends Usage {
  /** Prints what is to be printed and returns the exit code. */
  run(given: Given, surroundings: Surroundings): Promise<number>;
}
type Entry = Usage | Leaf;

const username = { flag: '-u', value: 'USERNAME', help: 'user name', required: true } as const;

/** Where makechat puts its backups. */
const BACKUPS = '/backups';

/** By their words; those that are no leaves choose one of their actions. */
const entries: readonly Entry[] = [
  {
    words: 'makechat',
    help: 'Accounts, backup and maintenance, with the commands of makechat.',
    options: [],
    actions: {
      user: 'manage users',
      backend: 'manage the back end',
      backup: 'make a backup',
      maintenance: 'begin or end maintenance',
    },
  },
  {
    words: 'makechat user',
    help: 'Manages users.',
    options: [],
    actions: { create: 'create a new user', changepass: 'change user password' },
  },
  {
    words: 'makechat user create',
    help: 'Creates a new user. It works while the service runs.',
    options: [
      username,
      { flag: '-p', value: 'PASSWORD', help: 'password', required: true },
      { flag: '-e', value: 'EMAIL', help: 'e-mail address', required: true },
      { flag: '-admin', help: 'make the user an administrator' },
    ],
    run: (given, surroundings) =>
      reporting(surroundings, (tools) =>
        createUser(tools, {
          username: given.get('-u') ?? '',
          password: given.get('-p') ?? '',
          email: given.get('-e') ?? '',
          isAdmin: given.has('-admin'),
        }),
      ),
  },
  {
    words: 'makechat user changepass',
    help: 'Changes the password of a user, and ends all their sessions.',
    options: [username, { flag: '-p', value: 'NEW PASSWORD', help: 'new password', required: true }],
    run: (given, surroundings) =>
      reporting(surroundings, (tools) => changePassword(tools, given.get('-u') ?? '', given.get('-p') ?? '')),
  },
  { words: 'makechat backend', help: 'Manages the back end.', options: [], actions: { run: 'run the back end' } },
  {
    words: 'makechat backend run',
    help: 'Does nothing: the service is started with npm start.',
    options: [{ flag: '-p', value: 'PORT', help: 'port number' }],
    run: async () => 0,
  },
  {
    words: 'makechat backup',
    help: 'Makes a backup while the service runs: the same as backup, which has more options and explains them.',
    options: [
      { flag: '-d', value: 'FOLDER', help: `folder of the backup; default ${BACKUPS}` },
      { flag: '-r', value: 'age1...', help: 'who can open the backup; not encrypted without' },
    ],
    run: (given, surroundings) => {
      const recipient = given.get('-r');
      const how = recipient === undefined ? ['--plain'] : ['--recipient', recipient];
      return backupCommand.run([given.get('-d') ?? BACKUPS, ...how], surroundings);
    },
  },
  {
    words: 'makechat maintenance',
    help: 'Begins or ends maintenance of the whole service.',
    options: [],
    actions: { on: 'begin maintenance', off: 'end maintenance' },
  },
  ...(['on', 'off'] as const).map((state) => ({
    words: `makechat maintenance ${state}`,
    help: state === 'on' ? 'Begins maintenance.' : 'Ends maintenance.',
    options: [],
    run: (_: Given, surroundings: Surroundings) => setMaintenance(state, surroundings),
  })),
];

/** `npm run cli -- makechat ...`, and `bin/makechat ...` */
export const makechatCommand: CliCommand = {
  summary: 'accounts, backup and maintenance, with the commands of makechat',
  help: entries.map(helpText).join('\n\n'),

  async run(args, surroundings) {
    const words = ['makechat'];
    for (;;) {
      const entry = entries.find((one) => one.words === words.join(' ')) as Entry;
      const rest = args.slice(words.length - 1);
      if (rest[0] === '-h') return print(helpText(entry), 0);
      if ('run' in entry) {
        const given = rest.includes('-h') ? 'help' : readArguments(entry, rest);
        if (given === 'help') return print(helpText(entry), 0);
        return typeof given === 'string' ? refuse(entry, given) : entry.run(given, surroundings);
      }
      const [action] = rest;
      if (action === undefined) return refuse(entry, 'too few arguments');
      if (!Object.hasOwn(entry.actions ?? {}, action)) return refuse(entry, `invalid choice: '${action}'`);
      words.push(action);
    }
  },
};

function print(text: string, code: number): number {
  process.stdout.write(`${text}\n`);
  return code;
}

/** Called wrongly. */
function refuse(usage: Usage, problem: string): number {
  process.stderr.write(`${usageLine(usage)}\n${usage.words}: error: ${problem}\n`);
  return 2;
}

/** Silent if all went well; prints what did not. */
async function reporting({ tools }: Surroundings, work: (tools: Tools) => Promise<string | null>): Promise<number> {
  const problem = await work(await tools());
  return problem === null ? 0 : print(`ERROR: ${problem}`, 1);
}

async function setMaintenance(state: 'on' | 'off', { tools }: Surroundings): Promise<number> {
  const { maintenances } = await tools();
  const actor = { id: FIRST_ADMINISTRATOR, role: 'admin' } as const;
  const command =
    state === 'on'
      ? ({ type: 'BeginMaintenance', actor, text: null, until: null } as const)
      : ({ type: 'EndMaintenance', actor } as const);
  const changed = await maintenances.send(MAINTENANCE, command, { correlation: newId(), door: 'makechat' });
  return isRejection(changed) ? print(`ERROR: ${changed.detail}`, 1) : print(`maintenance is ${state}`, 0);
}

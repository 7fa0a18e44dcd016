import type { CliCommand } from '../command.js';

const explanation = `There is nothing to import from SFChat, and nothing was read or changed.

Its chats live for a day at most, and what was delivered is deleted, so that hardly anything is left by the time a dump is read.
What remains is better not moved: SFChat's codes and tokens can be computed from each other, and its texts are in
plain form in the dump. Let the chats on the old server end, for instance over night, and send people to the new address.
The dump can then be deleted.
`;

/** `npm run cli -- import sfchat`, which explains why it does nothing. */
export const importSfchatCommand: CliCommand = {
  summary: 'explains why there is nothing to import from SFChat',
  help: `Usage: npm run cli -- import sfchat\n\n${explanation}`,
  async run() {
    process.stdout.write(explanation);
    return 0;
  },
};

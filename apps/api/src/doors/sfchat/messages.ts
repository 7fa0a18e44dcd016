import type { ChatNote } from '@verbatim/domain';
import type { WaitingMessage } from '../../storage/ephemeral/chat-store.js';

/** A message as SFChat sends it. Texts of people are plain, those of the system are HTML. */
export interface SfchatMessage {
  readonly _id: string;
  readonly msg: string;
  readonly system: boolean;
}

/** `code` is the invitation code of the chat, contained in the first note. */
export const toMessage = (message: WaitingMessage, code: string): SfchatMessage =>
  'text' in message
    ? { _id: message.id, msg: message.text, system: false }
    : { _id: message.id, msg: words[message.note](code), system: true };

/** SFChat's own texts, from its documentation and code. */
const words: Readonly<Record<ChatNote, (code: string) => string>> = {
  welcome: (code) => `Welcome to SFChat! <br> Please send code: <mark>${code}</mark> to Talker`,
  'other-joined': () => 'Talker was successfully joined to chat',
  'you-joined': () => 'Chat is ready to use',
  'you-closed': () => 'Thank you for using SFChat<br>Current chat was successfully closed.',
  'other-closed': () => 'Thank you for using SFChat.<br> Chat was successfully closed by Talker.',
  'closed-automatically': () => 'Thank you for using SFChat<br>Current chat was successfully closed automatically.',
};

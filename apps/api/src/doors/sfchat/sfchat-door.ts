import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Caretaker } from '../../application/ephemeral-chats/caretaker.js';
import { CountChatsQuery } from '../../application/ephemeral-chats/chat-looks.js';
import { Figure } from '../../composition/contributions.js';
import { door } from '../../host/part.js';
import { Limits } from '../../limits/limits.js';
import { ChatNews } from '../../storage/ephemeral/chat-news.js';
import type { ChatCounts } from '../../storage/ephemeral/chat-store.js';
import { LOG } from '../../storage/tokens.js';
import { serveApi } from './api.js';
import { CleanUps } from './clean-ups.js';
import { notFound, SfchatErrors } from './errors.js';
import { servePages } from './pages.js';
import { Polls } from './polls.js';

const blank = (value: unknown) => (value === '' ? undefined : value);

/**
 * SFChat (github.com/MySmile/sfchat): anonymous chats of two people that leave nothing behind, by REST and long polling, with the
 * two pages that its scripts run on. docs/doors/sfchat.md says what differs.
 */
export const sfchatDoor = door({
  name: 'sfchat',
  settings: {
    SFCHAT_PORT: z.preprocess(blank, z.coerce.number().int().min(0).max(65_535).optional()),
    /** The Google Analytics id, for pages outside chats. */
    SFCHAT_TRACKING_ID: z.preprocess(
      blank,
      z
        .string()
        .regex(/^[A-Z0-9-]{4,32}$/, 'must be an id such as UA-12345-1')
        .optional(),
    ),
  },
  async open(application, host, { SFCHAT_PORT, SFCHAT_TRACKING_ID = '' }) {
    if (SFCHAT_PORT === undefined) return {};
    const [commands, queries] = [application.get(CommandBus), application.get(QueryBus)];
    const [limits, log, news] = [application.get(Limits), application.get(LOG), application.get(ChatNews)];
    const polls = new Polls(commands, news);
    const cleanUps = new CleanUps(application.get(Caretaker), log);
    const errors = new SfchatErrors(log);
    const listener = host.listen(SFCHAT_PORT);
    listener.faults = errors;
    listener.fastify.setNotFoundHandler((request, reply) => errors.answer(notFound, request, reply));
    const { proxies, origins } = host;
    await listener.scope(async (scope) => serveApi(scope, { commands, polls, limits, errors, proxies, origins }));
    await listener.scope(async (scope) =>
      servePages(scope, {
        commands,
        queries,
        limits,
        errors,
        log,
        proxies,
        trackingId: SFCHAT_TRACKING_ID,
      }),
    );
    const count = async (read: (counts: ChatCounts) => number) => read(await queries.execute(new CountChatsQuery()));
    return {
      announced: [{ title: 'SFChat', address: () => listener.url }],
      start() {
        news.start(polls);
        cleanUps.start();
      },
      drain: () => polls.drain(),
      async close() {
        polls.close();
        await cleanUps.stop();
      },
      figures: [
        new Figure('verbatim_sfchat_polls', 'SFChat clients that wait for messages at this process.', () => polls.size),
        new Figure('verbatim_sfchat_open_chats', 'SFChat chats that are not closed, of all processes.', () =>
          count(({ draft, ready }) => draft + ready),
        ),
        new Figure(
          'verbatim_sfchat_waiting_texts',
          'Texts in SFChat chats that were not confirmed, of all processes.',
          () => count(({ texts }) => texts),
        ),
      ],
    };
  },
});

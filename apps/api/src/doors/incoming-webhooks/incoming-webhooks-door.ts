import { CommandBus } from '@nestjs/cqrs';
import { type AnswerOf, calls, issuesToErrors } from '@verbatim/protocol';
import { PostToWebhookCommand } from '../../application/webhooks/incoming-commands.js';
import { door } from '../../host/part.js';
import { Limits } from '../../limits/limits.js';
import { newId } from '../../new-id.js';
import { makeNativeScope } from '../native-scope.js';
import { Problems } from '../problems.js';
import { ReadYourWrites } from '../read-your-writes.js';
import { accepted, Refusal } from '../refusal.js';

const { method, path, params, body } = calls.postToHook;

/** The URLs at which programs post to rooms. Anyone who knows the URL may post; there is no other credential. */
export const incomingWebhooksDoor = door({
  name: 'incoming-webhooks',
  async open(application, host) {
    const [problems, readYourWrites] = [application.get(Problems), application.get(ReadYourWrites)];
    const [commands, limits] = [application.get(CommandBus), application.get(Limits)];
    await host.main.scope(async (scope) => {
      await makeNativeScope(scope, host);
      scope.setErrorHandler((error, request, reply) => problems.answer(error, request, reply));
      scope.route({
        method,
        url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
        async handler(request, reply): Promise<AnswerOf<'postToHook'>> {
          const tooSoon = limits.visit(host.proxies.addressOf(request.raw));
          if (tooSoon) throw Refusal.of(tooSoon);
          const { token, text, id } = inputOf(request);
          const posted = await commands.execute(
            new PostToWebhookCommand(token, { id, text }, { correlation: request.id }),
          );
          const { roomId, revision, events, position } = accepted(posted);
          await readYourWrites.written(position, reply);
          reply.status(events === 0 ? 200 : 201);
          return { id, roomId, revision: Number(revision) };
        },
      });
    });
    return {};
  },
});

function inputOf(request: { readonly params: unknown; readonly body: unknown }) {
  const read = { params: params.safeParse(request.params), body: body.safeParse(request.body) };
  if (!read.params.success || !read.body.success) {
    const errors = [
      ...(read.params.error ? issuesToErrors(read.params.error, 'params') : []),
      ...(read.body.error ? issuesToErrors(read.body.error, 'body') : []),
    ];
    throw new Refusal('invalid_request', 'The request does not have the right form.', { errors });
  }
  const { text, id = newId() } = read.body.data;
  return { token: read.params.data.token, text, id };
}

import {
  announcement,
  auditLog,
  type Decider,
  erasure,
  exportRequest,
  fieldRules,
  type Happened,
  invitation,
  maintenance,
  room,
  user,
} from '@verbatim/domain';
import { expect, it } from 'vitest';
import { eventsOf, everyEvent } from '../../../../libs/domain/src/every-event.testing.js';
import { expectGolden } from '../../../../libs/event-store/src/golden.testing.js';
import {
  announcementSnapshot,
  auditLogSnapshot,
  erasureSnapshot,
  exportRequestSnapshot,
  invitationSnapshot,
  maintenanceSnapshot,
  roomSnapshot,
  userSnapshot,
} from './saved-states.js';

interface Snapshot<S> {
  write(state: S): string;
  read(text: string): S;
}

/** A snapshot contains the folded state of a stream, so it depends on both the folding and the written form. */
function itKeeps<S, E extends Happened>(decider: Decider<S, never, E>, snapshot: Snapshot<S>, file: string): void {
  const { category, stateVersion } = decider;
  const streams = [...new Set(everyEvent.map(({ stream }) => stream))].filter((one) => one.startsWith(`${category}-`));

  it(`the snapshot of a ${category} is the same as when its version was raised`, async () => {
    const texts = streams.map((stream) =>
      snapshot.write((eventsOf(stream) as unknown as E[]).reduce(decider.evolve, decider.initialState)),
    );
    for (const text of texts) expect(snapshot.write(snapshot.read(text))).toBe(text);
    const content = Object.fromEntries(streams.map((stream, i) => [stream, JSON.parse(texts[i] ?? '')]));
    const golden = new URL(`./golden/${category}.json`, import.meta.url);
    await expectGolden(golden, `${category}-${stateVersion}`, content, `the state version in libs/domain/src/${file}`);
  });
}

itKeeps(room, roomSnapshot, 'room/state.ts');
itKeeps(user, userSnapshot, 'user/user.ts');
itKeeps(invitation, invitationSnapshot, 'invitation.ts');
itKeeps(announcement, announcementSnapshot, 'announcement.ts');
itKeeps(maintenance, maintenanceSnapshot, 'maintenance.ts');
itKeeps(auditLog, auditLogSnapshot, 'audit-log.ts');
itKeeps(erasure, erasureSnapshot, 'erasure.ts');
itKeeps(exportRequest, exportRequestSnapshot, 'export-request.ts');

it('the golden history has every type of event', () => {
  const types = new Set<string>(everyEvent.map(({ fact }) => fact.type));
  expect(Object.keys(fieldRules).filter((type) => !types.has(type))).toEqual([]);
});

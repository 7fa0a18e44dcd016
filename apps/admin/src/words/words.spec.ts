import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { auditedActions, errorCodes, roomEventTypes, userEventTypes } from '@verbatim/protocol';
import { describe, expect, it } from 'vitest';
import { englishAccountWords } from './account-english';
import { englishAuditWords } from './audit-english';
import { englishWords } from './english';
import { englishEvidenceWords } from './evidence-english';
import { germanWords } from './german';
import { englishPeopleWords } from './people-english';
import { englishRoomEventWords } from './room-events-english';

/** All sentences by their keys, as `verbatim.home.title`. */
function sentences(words: object, path = ''): Map<string, string> {
  return new Map(
    Object.entries(words).flatMap(([key, value]) =>
      typeof value === 'string' ? [[`${path}${key}`, value] as const] : [...sentences(value, `${path}${key}.`)],
    ),
  );
}

const english = sentences(englishWords);
const german = sentences(germanWords);
const values = (sentence = '') => [...new Set(sentence.match(/%\{\w+\}/g))].sort();

describe('the words of both languages', () => {
  it('have the same keys', () => {
    expect([...german.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('are there', () => {
    for (const [key, sentence] of [...english, ...german]) {
      if (key !== 'ra.boolean.null') expect([key, sentence.trim()]).not.toEqual([key, '']);
    }
  });

  it('name nothing that the other language does not know', () => {
    const odd = [...english].filter(([key, sentence]) => {
      const known = values(sentence);
      return values(german.get(key)).some((value) => !known.includes(value));
    });
    expect(odd.map(([key]) => key)).toEqual([]);
  });
});

it('no file of words hides those of another', () => {
  const parts = [
    englishAccountWords,
    englishAuditWords,
    englishEvidenceWords,
    englishPeopleWords,
    englishRoomEventWords,
  ];
  const whole: Readonly<Record<string, unknown>> = englishWords.verbatim;
  const hidden = parts.flatMap((part) => Object.entries(part).filter(([key, words]) => whole[key] !== words));
  expect(hidden.map(([key]) => key)).toEqual([]);
});

it('there is a sentence for each error of the protocol', () => {
  for (const code of errorCodes) {
    expect(english.get(`verbatim.error.${code}`)).toBeTruthy();
    expect(german.get(`verbatim.error.${code}`)).not.toBe(english.get(`verbatim.error.${code}`));
  }
});

it('there is a sentence for each event of an account', () => {
  expect(Object.keys(englishWords.verbatim.account_event).sort()).toEqual([...userEventTypes].sort());
});

it('there is a sentence for each event of a room', () => {
  expect(roomEventTypes.filter((type) => !english.has(`verbatim.room_event.${type}`))).toEqual([]);
});

it('there is a phrase for each action of the audit trail', () => {
  expect(Object.keys(englishWords.verbatim.audited).sort()).toEqual([...auditedActions].sort());
});

it('every key that the sources ask for exists', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  const asked = files.flatMap(
    (name) => readFileSync(`${folder}/${name}`, 'utf8').match(/(?<=['"`])verbatim\.[a-z_]+\.[a-z_]+(?=['"`])/g) ?? [],
  );
  expect(asked.length).toBeGreaterThan(50);
  expect([...new Set(asked)].filter((key) => !english.has(key))).toEqual([]);
});

import { describe, expect, it } from 'vitest';
import { roomOfMadeName, topicName } from './room-topics.js';
import { Filter, isTopic, readTopic } from './topics.js';

describe('topics', () => {
  it.each([
    ['rooms/main/newtext', { what: 'text', room: 'main' }],
    ['rooms/a b/new', { what: 'room', room: 'a b' }],
    ['users/Ada/hello', { what: 'hello', name: 'Ada' }],
    ['users/Ada/logout', { what: 'logout', name: 'Ada' }],
    ['users/a/b/hello', null],
    ['users//hello', null],
    ['rooms//newtext', null],
    ['rooms/main', null],
    ['$SYS/rooms/newtext', null],
  ])('are understood: %s', (topic, meaning) => {
    expect(readTopic(topic)).toEqual(meaning);
  });

  it.each(['', 'a/+', 'a/#', 'a\0', 'a\ufffd'])('are invalid: %j', (text) => {
    expect(isTopic(text)).toBe(false);
  });
});

describe('filters', () => {
  function read(text: string): Filter {
    const filter = Filter.read(text);
    if (typeof filter === 'string') throw new Error(`${text} is ${filter}.`);
    return filter;
  }
  const topic = 'rooms/Main/newtext';
  it.each(['rooms/#', '#', '+/+/+', 'rooms/+/newtext', 'rooms/main/newtext', 'rooms/MAIN/#', '+/main/newtext'])(
    'match a text: %s',
    (text) => {
      expect(read(text).matches(topic)).toBe(true);
    },
  );
  it.each(['users/#', 'rooms/+', 'rooms/other/newtext', 'rooms/+/new', '+/+/+/+', 'rooms/main/newtext/+'])(
    'do not match it: %s',
    (text) => {
      expect(read(text).matches(topic)).toBe(false);
    },
  );
  it.each([
    ['', 'malformed'],
    ['rooms/#/x', 'malformed'],
    ['rooms/a+', 'malformed'],
    ['rooms/a#', 'malformed'],
    ['$share/group/rooms/#', 'shared'],
    ['$SYS/#', 'foreign'],
    ['other/#', 'foreign'],
    ['/rooms', 'foreign'],
  ])('are refused: %j', (text, why) => {
    expect(Filter.read(text)).toBe(why);
  });

  it('know whether they match all rooms, or which one', () => {
    const about = (text: string) => [read(text).forAllRooms, read(text).room];
    expect(about('rooms/#')).toEqual([true, null]);
    expect(about('+/+/newtext')).toEqual([true, null]);
    expect(about('rooms/Main/newtext')).toEqual([false, 'main']);
    expect(about('users/#')).toEqual([false, null]);
  });
});

describe('names of rooms in topics', () => {
  const id = '0192f1c2-7a3b-7c4d-8e5f-60718293a4b5';
  it.each(['main', 'Grüße 你好', "it's", 'a~b'])('are unchanged: %s', (name) => {
    expect(topicName(id, { name, visibility: 'public' })).toBe(name);
    expect(roomOfMadeName(name)).toBeNull();
  });

  it.each(['a/b', 'a+b', 'a#b', 'a"b', 'a<b', 'a>b', 'a&b', 'a\\b'])('are made for %s', (name) => {
    const made = topicName(id, { name, visibility: 'public' });
    expect(made).toMatch(/^a-b~[\w-]{22}$/);
    expect(roomOfMadeName(made)).toBe(id);
    expect(isTopic(made)).toBe(true);
  });

  it('are made for rooms with shared or missing names, and for names that look made', () => {
    expect(roomOfMadeName(topicName(id, { name: 'main', visibility: 'hidden' }))).toBe(id);
    expect(topicName(id, { name: '', visibility: 'direct' })).toMatch(/^direct~/);
    const looksMade = topicName(id, { name: 'a/b', visibility: 'public' });
    expect(topicName(id.replace('01', '02'), { name: looksMade, visibility: 'public' })).not.toBe(looksMade);
  });
});

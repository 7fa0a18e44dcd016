import { describe, expect, it } from 'vitest';
import { helpText, readArguments, type Usage, usageLine } from './arguments.js';

const create: Usage = {
  words: 'makechat user create',
  help: 'Creates a new user.',
  options: [
    { flag: '-u', value: 'USERNAME', help: 'user name', required: true },
    { flag: '-p', value: 'PASSWORD', help: 'password', required: true },
    { flag: '-admin', help: 'administrator' },
  ],
};

describe('arguments', () => {
  it.each([
    [['-u', 'ada', '-p', 'correct horse'], { '-u': 'ada', '-p': 'correct horse' }],
    [['-uada', '-p=x', '-admin'], { '-u': 'ada', '-p': 'x', '-admin': '' }],
    [['-p', '-5 degrees', '-u', 'ada'], { '-p': '-5 degrees', '-u': 'ada' }],
  ])('%j are read', (args, expected) => {
    expect(Object.fromEntries(readArguments(create, args) as Map<string, string>)).toEqual(expected);
  });

  it.each([
    [[], 'the following arguments are required: -u, -p'],
    [['-u', 'ada'], 'the following arguments are required: -p'],
    [['-u', '-p', 'x'], 'argument -u: expected one argument'],
    [['-u'], 'argument -u: expected one argument'],
    [['-u', 'ada', '-p', 'x', 'more'], 'unrecognized arguments: more'],
    [['--colour'], 'unrecognized arguments: --colour'],
  ])('%j are refused', (args, problem) => {
    expect(readArguments(create, args)).toBe(problem);
  });

  it('are explained', () => {
    expect(usageLine(create)).toBe('usage: makechat user create [-h] -u USERNAME -p PASSWORD [-admin]');
    const user: Usage = { words: 'makechat user', help: '', options: [], actions: { create: 'create a new user' } };
    expect(helpText(user)).toMatch(/usage: makechat user \[-h\] \{create\} \.\.\./);
    expect(helpText(user)).toMatch(/create +create a new user/);
  });
});

import { describe, expect, it } from 'vitest';
import { MOST, readPeople } from './people-rows';

const rowsOf = (text: string) => {
  const reading = readPeople(text);
  if ('refused' in reading) throw new Error(reading.refused);
  return reading.rows;
};

describe('a file of people', () => {
  it('has a line of names, in any order and case, and a line for each person', () => {
    const rows = rowsOf('Role,USERNAME,displayname,email\nauditor,Grace,Grace Hopper,grace@example.org\n,ada,,\n');
    expect(rows.map(({ wish }) => wish)).toEqual([
      { username: 'grace', displayName: 'Grace Hopper', email: 'grace@example.org', role: 'auditor' },
      { username: 'ada', role: 'user' },
    ]);
    expect(rows.map(({ line }) => line)).toEqual([2, 3]);
  });

  it('may be one that was exported', () => {
    const names = 'id,username,displayName,role,status,bot,secondFactor,createdAt,signedInAt,email';
    const [ada, robby] = rowsOf(
      `${names}\r\n1,ada,'=Ada,user,active,,false,x,,\r\n2,robby,robby,user,active,true,,x,,\r\n`,
    );
    expect(ada?.wish).toEqual({ username: 'ada', displayName: '=Ada', role: 'user' });
    expect(robby).toMatchObject({ wish: null, problem: 'verbatim.import.is_bot' });
  });

  it('says for each line what is wrong with it', () => {
    const rows = rowsOf('username,email,role\nab,nowhere,king\nada,,\nADA,,\n');
    expect(rows[0]?.wish).toBeNull();
    for (const field of ['username', 'email', 'role']) expect(rows[0]?.problem).toContain(field);
    expect(rows[1]?.problem).toBeNull();
    expect(rows[2]?.problem).toBe('verbatim.import.twice');
  });

  it('is refused as a whole where it makes no sense', () => {
    expect(readPeople('')).toEqual({ refused: 'verbatim.import.unreadable' });
    expect(readPeople('username\n"open')).toEqual({ refused: 'verbatim.import.unreadable' });
    expect(readPeople('name\nada')).toEqual({ refused: 'verbatim.import.no_username' });
    expect(readPeople('username\n')).toEqual({ refused: 'verbatim.import.nobody' });
    const many = Array.from({ length: MOST + 1 }, (_, i) => `person${i}`);
    expect(readPeople(['username', ...many].join('\n'))).toEqual({ refused: 'verbatim.import.too_many' });
    expect(rowsOf(['username', ...many.slice(1)].join('\n'))).toHaveLength(MOST);
  });
});

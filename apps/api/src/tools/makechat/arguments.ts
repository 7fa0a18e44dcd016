/** An option of a command of makechat. */
export interface Option {
  readonly flag: `-${string}`;
  readonly help: string;
  /** How its value is called in the usage; absent: it has none. */
  readonly value?: string;
  readonly required?: boolean;
}

/** A command of makechat, called by its words. */
export interface Usage {
  readonly words: string;
  readonly help: string;
  readonly options: readonly Option[];
  /** Its actions, where it has any: what is chosen by the next word, with their help. */
  readonly actions?: Readonly<Record<string, string>>;
}

/** What was given: values by flag. */
export type Given = ReadonlyMap<string, string>;

/** Reads arguments; a text says what is wrong with them. `-h` is left to the caller. */
export function readArguments({ options }: Usage, args: readonly string[]): Given | string {
  const given = new Map<string, string>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const option = options.find(({ flag, value }) => arg === flag || (value !== undefined && arg?.startsWith(flag)));
    if (!option) return `unrecognized arguments: ${[arg, ...rest].join(' ')}`;
    const attached = arg.slice(option.flag.length).replace(/^=/, '');
    const isMissing = attached === '' && (rest.length === 0 || options.some(({ flag }) => flag === rest[0]));
    if (option.value !== undefined && isMissing) return `argument ${option.flag}: expected one argument`;
    given.set(option.flag, option.value === undefined ? '' : attached || (rest.shift() ?? ''));
  }
  const missing = options.filter(({ flag, required }) => required && !given.has(flag)).map(({ flag }) => flag);
  return missing.length > 0 ? `the following arguments are required: ${missing.join(', ')}` : given;
}

/** The first line of a usage text. */
export function usageLine({ words, options, actions }: Usage): string {
  const shown = options.map(({ flag, value, required }) => {
    const text = value === undefined ? flag : `${flag} ${value}`;
    return required ? text : `[${text}]`;
  });
  const choice = actions ? [`{${Object.keys(actions).join(',')}}`, '...'] : [];
  return `usage: ${[words, '[-h]', ...shown, ...choice].join(' ')}`;
}

/** The text of `-h`. */
export function helpText(usage: Usage): string {
  const row = (name: string, help: string) => `  ${name.padEnd(20)}  ${help}`;
  const { actions = {}, options } = usage;
  const choices = Object.entries(actions).map(([name, help]) => row(`  ${name}`, help));
  const rows = options.map(({ flag, value, help }) => row(value === undefined ? flag : `${flag} ${value}`, help));
  return [
    ...[usageLine(usage), '', usage.help, ''],
    ...(choices.length > 0 ? ['positional arguments:', `  {${Object.keys(actions).join(',')}}`, ...choices, ''] : []),
    ...['options:', row('-h, --help', 'show this help message and exit'), ...rows],
  ].join('\n');
}

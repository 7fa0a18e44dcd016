import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Types that take the name of a call or frame; those of calls are looked up in one table. */
const generic = {
  CallName: 'export type CallName = keyof Calls;',
  ParamsOf: "export type ParamsOf<K extends CallName> = Calls[K]['params'];",
  QueryOf: "export type QueryOf<K extends CallName> = Calls[K]['query'];",
  BodyToSend: "export type BodyToSend<K extends CallName> = Calls[K]['body'];",
  AnswerOf: "export type AnswerOf<K extends CallName> = Calls[K]['answer'];",
  ClientEvent: 'export type ClientEvent = keyof ClientFrames;',
  ClientDataToSend: 'export type ClientDataToSend<E extends ClientEvent> = ClientFrames[E];',
  ServerData: "export type ServerData<E extends ServerFrame['event']> = Extract<ServerFrame, { event: E }>['data'];",
};

/** Where the types are read; the tables have an entry for each call and frame. */
const probe = (names) => `
import type * as protocol from '@verbatim/protocol';
export interface Calls extends Every {}
type Every = { [K in protocol.CallName]: {
  params: protocol.ParamsOf<K>; query: protocol.QueryOf<K>; body: protocol.BodyToSend<K>; answer: protocol.AnswerOf<K>;
} };
export type ClientFrames = { [E in protocol.ClientEvent]: protocol.ClientDataToSend<E> };
${names.map((name) => `export type ${name} = protocol.${name};`).join('\n')}
`;

/**
 * Declarations of types of `@verbatim/protocol` that are written out, so that they need neither it nor the library
 * whose schemas it infers them from.
 *
 * @param {readonly string[]} names of the types that are needed
 */
export function declareProtocol(names) {
  const plain = [...new Set([...names, 'ServerFrame'])].filter((name) => !(name in generic));
  const { types, checker } = typesOf(plain);
  const print = printer(checker, new Map(plain.map((name) => [types.get(name), name])));
  const lines = plain.map((name) => `export type ${name} = ${print(types.get(name), name)};`);
  const tables = ['Calls', 'ClientFrames'].map((name) => {
    const entries = checker.getPropertiesOfType(types.get(name));
    const rows = entries.map((entry) => `  ${entry.name}: ${print(checker.getTypeOfSymbol(entry))};`);
    return `export interface ${name} {\n${rows.join('\n')}\n}`;
  });
  return `${[...tables, ...Object.values(generic), ...lines].join('\n\n')}\n`;
}

function typesOf(names) {
  const file = fileURLToPath(new URL('probe.ts', import.meta.url));
  const options = {
    ...{
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
    },
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.getSourceFile = (path, ...rest) =>
    path === file ? ts.createSourceFile(path, probe(names), options.target, true) : getSourceFile(path, ...rest);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  const found = ts.getPreEmitDiagnostics(program, source);
  if (found.length > 0) throw new Error(ts.formatDiagnostics(found, { ...host, getNewLine: () => '\n' }));
  const checker = program.getTypeChecker();
  const types = new Map();
  for (const statement of source.statements)
    if (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement))
      types.set(statement.name.text, checker.getTypeAtLocation(statement));
  return { types, checker };
}

/** Writes types out; those that have a name of their own are named, but not where they are declared. */
function printer(checker, named) {
  const { TypeFlags } = ts;
  const literal = TypeFlags.Literal | TypeFlags.TemplateLiteral;
  const missing = TypeFlags.Null | TypeFlags.Undefined | TypeFlags.Void | TypeFlags.Never;
  const simple =
    TypeFlags.Any | TypeFlags.Unknown | TypeFlags.String | TypeFlags.Number | TypeFlags.Boolean | TypeFlags.BigInt;

  function print(type, declared) {
    const name = named.get(type);
    if (name !== undefined && name !== declared) return name;
    if (type.flags & (simple | literal | missing)) return checker.typeToString(type);
    if (type.isUnion()) return union(type.types);
    if (type.isIntersection()) return type.types.map((each) => print(each)).join(' & ');
    if (checker.isTupleType(type))
      return `[${checker
        .getTypeArguments(type)
        .map((each) => print(each))
        .join(', ')}]`;
    if (checker.isArrayType(type)) return `${type.symbol.name}<${print(checker.getTypeArguments(type)[0])}>`;
    return object(type);
  }

  function union(types) {
    const isBoolean = types.filter((each) => each.flags & TypeFlags.BooleanLiteral).length === 2;
    const others = isBoolean ? types.filter((each) => !(each.flags & TypeFlags.BooleanLiteral)) : types;
    const inOrder = [...others].sort((a, b) => Number(isMissing(a)) - Number(isMissing(b)));
    return [...(isBoolean ? ['boolean'] : []), ...inOrder.map((each) => print(each))].join(' | ');
  }

  const isMissing = ({ flags }) => (flags & missing) !== 0;

  function object(type) {
    const members = checker.getPropertiesOfType(type).map((property) => {
      const optional = (property.flags & ts.SymbolFlags.Optional) !== 0;
      const name = /^[A-Za-z_]\w*$/.test(property.name) ? property.name : JSON.stringify(property.name);
      return `${name}${optional ? '?' : ''}: ${print(checker.getTypeOfSymbol(property))};`;
    });
    const indexes = checker
      .getIndexInfosOfType(type)
      .map(({ keyType, type: value }) => `[key: ${checker.typeToString(keyType)}]: ${print(value)};`);
    return `{ ${[...members, ...indexes].join(' ')} }`;
  }

  return print;
}

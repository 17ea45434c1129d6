/**
 * proto/**.proto -> src/generated/messages.ts: for each message an interface and a codec, for each service a method table.
 * protobufjs parses and resolves; the code it would emit itself (static-module) has defaults on prototypes (lost by
 * spreading), Long objects and a second copy of each payload. `npm run gen -w packages/protocol`; a test checks freshness.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const packageDirectory = dirname(dirname(fileURLToPath(import.meta.url)));
export const protoDirectory = join(packageDirectory, '..', '..', 'proto');
export const outputFile = join(packageDirectory, 'src', 'generated', 'messages.ts');

/** protobuf scalar -> [TypeScript type, writer/reader method, size function, default, wire type] */
const SCALARS = {
  uint32: ['number', 'uint32', 'sizeUint32', '0', 0],
  int32: ['number', 'int32', 'sizeInt32', '0', 0],
  sint32: ['number', 'sint32', 'sizeSint32', '0', 0],
  uint64: ['number', 'uint64', 'sizeUint64', '0', 0],
  int64: ['number', 'int64', 'sizeInt64', '0', 0],
  sint64: ['number', 'sint64', 'sizeSint64', '0', 0],
  bool: ['boolean', 'bool', 'sizeBool', 'false', 0],
  string: ['string', 'text', 'sizeText', "''", 2],
  bytes: ['Buffer', 'payload', 'sizeBytes', 'NO_BYTES', 2],
};

export function protoFiles() {
  return readdirSync(protoDirectory, { recursive: true })
    .filter((name) => name.endsWith('.proto'))
    .sort();
}

/** Every .proto file, parsed and resolved. */
export function loadRoot() {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(protoDirectory, target);
  root.loadSync(protoFiles(), { alternateCommentMode: true, keepCase: false });
  root.resolveAll();
  return root;
}

function collect(namespace, kinds) {
  for (const child of namespace.nestedArray) {
    if (child instanceof protobuf.Service) kinds.services.push(child);
    else if (child instanceof protobuf.Enum) kinds.enums.push(child);
    else if (child instanceof protobuf.Type) kinds.messages.push(child);
    if (child instanceof protobuf.Namespace) collect(child, kinds);
  }
  return kinds;
}

const fullName = (thing) => thing.fullName.slice(1);
const camel = (name) => name[0].toLowerCase() + name.slice(1);
const comment = (thing, indent) =>
  thing.comment ? `${indent}/** ${thing.comment.replaceAll('\n', ' ')} */\n` : '';

/** What the emitters need to know of a field. */
function shape(field) {
  const message = field.resolvedType instanceof protobuf.Type ? field.resolvedType.name : undefined;
  const enumeration = field.resolvedType instanceof protobuf.Enum ? field.resolvedType.name : undefined;
  const scalar = message ? undefined : (SCALARS[enumeration ? 'int32' : field.type] ?? unsupported(field));
  // Absent must be told apart from the default for `optional`, members of a oneof, and failures (absent means success).
  const optional = !field.repeated && !field.map && (field.partOf !== null || message === 'Failure');
  return {
    field,
    name: field.name,
    id: field.id,
    message,
    enumeration,
    scalar,
    optional,
    map: field.map,
    repeated: field.repeated,
  };
}

function unsupported(field) {
  throw new Error(`${field.fullName}: ${field.type} is not supported by scripts/generate.js`);
}

const elementType = (s) => s.message ?? s.enumeration ?? s.scalar[0];

function typeOf(s) {
  if (s.map) return `Readonly<Record<string, ${elementType(s)}>>`;
  if (s.repeated) return `readonly ${elementType(s)}[]`;
  return elementType(s);
}

function emitInterface(type, shapes) {
  const lines = shapes.map((s) => {
    const declaration = s.optional ? `${s.name}?: ${typeOf(s)} | undefined` : `${s.name}: ${typeOf(s)}`;
    return `${comment(s.field, '  ')}  readonly ${declaration};`;
  });
  return `${comment(type, '')}export interface ${type.name} {\n${lines.join('\n')}\n}\n`;
}

const tagOf = (s, wire) => ((s.id << 3) | wire) >>> 0;
const varintSize = (value) => (value < 128 ? 1 : value < 16384 ? 2 : 3);
const tagSize = (s) => varintSize(tagOf(s, 0));
const isPacked = (s) => s.repeated && s.scalar !== undefined && s.scalar[4] === 0;

function present(s, access) {
  if (s.optional) return `${access} !== undefined`;
  if (s.scalar?.[0] === 'Buffer') return `${access}.length > 0`;
  if (s.scalar?.[0] === 'boolean') return access;
  return s.scalar ? `${access} !== ${s.scalar[3]}` : undefined;
}

const sizeOfElement = (s, value) =>
  s.message ? `sizePrefixed(size${s.message}(${value}))` : `${s.scalar[2]}(${value})`;
const mapEntrySize = (s) => `sizePrefixed(2 + sizeText(key) + ${sizeOfElement(s, 'value')})`;

function emitSize(type, shapes) {
  const lines = shapes.map((s) => {
    const access = `message.${s.name}`;
    const tag = tagSize(s);
    if (s.map)
      return `  for (const [key, value] of Object.entries(${access})) size += ${tag} + ${mapEntrySize(s)};`;
    if (isPacked(s))
      return `  if (${access}.length > 0) size += ${tag} + sizePrefixed(packed(${access}, ${s.scalar[2]}));`;
    if (s.repeated)
      return `  for (const element of ${access}) size += ${tag} + ${sizeOfElement(s, 'element')};`;
    const condition = present(s, access);
    return `  ${condition ? `if (${condition}) ` : ''}size += ${tag} + ${sizeOfElement(s, access)};`;
  });
  return `function size${type.name}(${lines.length ? 'message' : '_message'}: ${type.name}): number {\n  ${lines.length ? 'let' : 'const'} size = 0;\n${lines.join('\n')}\n  return size;\n}\n`;
}

function writeElement(s, value, indent) {
  const tag = `${indent}writer.uint32(${tagOf(s, s.message ? 2 : s.scalar[4])});`;
  if (!s.message) return `${tag}\n${indent}writer.${s.scalar[1]}(${value});`;
  return `${tag}\n${indent}writer.uint32(size${s.message}(${value}));\n${indent}write${s.message}(${value}, writer);`;
}

function emitWrite(type, shapes) {
  const lines = shapes.map((s) => {
    const access = `message.${s.name}`;
    if (s.map) {
      const entry = [
        `    writer.uint32(${tagOf(s, 2)});`,
        `    writer.uint32(2 + sizeText(key) + ${sizeOfElement(s, 'value')});`,
        `    writer.uint32(10);\n    writer.text(key);`,
        writeElement({ ...s, id: 2 }, 'value', '    '),
      ];
      return `  for (const [key, value] of Object.entries(${access})) {\n${entry.join('\n')}\n  }`;
    }
    if (isPacked(s)) {
      const head = `    writer.uint32(${tagOf(s, 2)});\n    writer.uint32(packed(${access}, ${s.scalar[2]}));`;
      return `  if (${access}.length > 0) {\n${head}\n    for (const element of ${access}) writer.${s.scalar[1]}(element);\n  }`;
    }
    if (s.repeated) return `  for (const element of ${access}) {\n${writeElement(s, 'element', '    ')}\n  }`;
    const condition = present(s, access);
    return condition
      ? `  if (${condition}) {\n${writeElement(s, access, '    ')}\n  }`
      : writeElement(s, access, '  ');
  });
  const names = lines.length ? ['message', 'writer'] : ['_message', '_writer'];
  return `function write${type.name}(${names[0]}: ${type.name}, ${names[1]}: WireWriter): void {\n${lines.join('\n')}\n}\n`;
}

const readElement = (s) =>
  s.message
    ? `read${s.message}(reader, reader.nested())`
    : `reader.${s.scalar[1]}()${s.enumeration ? ` as ${s.enumeration}` : ''}`;

function emitLocal(s) {
  if (s.map) return `  const ${s.name}: Record<string, ${elementType(s)}> = Object.create(null);`;
  if (s.repeated) return `  const ${s.name}: ${elementType(s)}[] = [];`;
  if (s.optional || s.message) return `  let ${s.name}: ${elementType(s)} | undefined;`;
  return `  let ${s.name}: ${elementType(s)} = ${s.scalar[3]};`;
}

function emitCase(s) {
  const wire = s.message || s.map ? 2 : s.scalar[4];
  if (s.map) {
    return `      case ${tagOf(s, 2)}: {\n        const entry = readMapEntry(reader, reader.nested());\n        ${s.name}[entry.key] = entry.value;\n        break;\n      }`;
  }
  const store = s.repeated ? `${s.name}.push(${readElement(s)});` : `${s.name} = ${readElement(s)};`;
  const single = `      case ${tagOf(s, wire)}:\n        ${store}\n        break;`;
  if (!isPacked(s)) return single;
  const loop = `for (const last = reader.end(); reader.position < last; ) ${store}`;
  return `${single}\n      case ${tagOf(s, 2)}:\n        ${loop}\n        break;`;
}

function emitRead(type, shapes) {
  const result = shapes.map((s) =>
    s.message && !s.optional && !s.repeated && !s.map
      ? `${s.name}: ${s.name} ?? read${s.message}(reader, reader.position)`
      : s.name,
  );
  const cases = shapes.map(emitCase).join('\n');
  return `function read${type.name}(reader: WireReader, end: number): ${type.name} {
${shapes.map(emitLocal).join('\n')}
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
${cases}
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { ${result.join(', ')} };
}
`;
}

function emitMessage(type) {
  const shapes = type.fieldsArray.map(shape);
  const parts = `size${type.name}, write${type.name}, read${type.name}`;
  const codec = `export const ${type.name}: Codec<${type.name}> = codec('${fullName(type)}', ${parts});\n`;
  return [
    emitInterface(type, shapes),
    emitSize(type, shapes),
    emitWrite(type, shapes),
    emitRead(type, shapes),
    codec,
  ].join('\n');
}

function emitEnum(enumeration) {
  const values = Object.entries(enumeration.values).map(([name, value]) => `  ${name}: ${value},`);
  return `export const ${enumeration.name} = {\n${values.join('\n')}\n} as const;\nexport type ${enumeration.name} = (typeof ${enumeration.name})[keyof typeof ${enumeration.name}];\n`;
}

function emitService(service) {
  const methods = service.methodsArray.map((method) => {
    if (method.requestStream && !method.responseStream)
      throw new Error(`${method.fullName}: client streams are not used`);
    const kind = method.requestStream ? 'duplex' : method.responseStream ? 'serverStream' : 'unary';
    const request = method.resolvedRequestType.name;
    const response = method.resolvedResponseType.name;
    const path = `/${fullName(service)}/${method.name}`;
    const value = `{ path: '${path}', kind: '${kind}', request: ${request}, response: ${response} }`;
    return `${comment(method, '  ')}  ${camel(method.name)}: ${value} as RpcMethod<${request}, ${response}, '${kind}'>,`;
  });
  return `${comment(service, '')}export const ${camel(service.name)}Service = {\n${methods.join('\n')}\n};\n`;
}

const HEADER = `/** Generated from proto/ by scripts/generate.js; do not edit. Decoded messages have every field: absent ones their default. */
import { type Codec, codec } from '../wire/codec.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import {
  sizeBool,
  sizeBytes,
  sizeInt32,
  sizeInt64,
  sizePrefixed,
  sizeSint32,
  sizeSint64,
  sizeText,
  sizeUint32,
  sizeUint64,
  type WireWriter,
} from '../wire/wire-writer.ts';
import type { RpcMethod } from '../rpc-method.ts';

const NO_BYTES = Buffer.alloc(0);

function packed(values: readonly number[], sizeOf: (value: number) => number): number {
  let size = 0;
  for (const value of values) size += sizeOf(value);
  return size;
}

function readMapEntry(reader: WireReader, end: number): { key: string; value: string } {
  let key = '';
  let value = '';
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === 10) key = reader.text();
    else if (tag === 18) value = reader.text();
    else reader.skip(tag);
  }
  reader.finish(end);
  return { key, value };
}
`;

/** The text of src/generated/messages.ts. */
export function generate() {
  const kinds = collect(loadRoot(), { messages: [], enums: [], services: [] });
  const parts = [
    HEADER,
    ...kinds.enums.map(emitEnum),
    ...kinds.messages.map(emitMessage),
    ...kinds.services.map(emitService),
  ];
  return parts.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(outputFile, generate());

#!/usr/bin/env node
// Writes what TypeScript knows of the operations: schemas, a method for each operation, and their names.
// Usage: generate-typescript.mjs <operations.json> <file> [--check]
import { readFileSync, writeFileSync } from 'node:fs';

/** The TypeScript type of a JSON schema. */
function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const kinds = schema.oneOf ?? schema.anyOf;
  if (kinds) return kinds.map(typeOf).join(' | ');
  if (schema.allOf) return schema.allOf.map(typeOf).join(' & ');
  const types = [schema.type ?? 'object'].flat();
  return types.map((type) => typeOfKind(type, schema)).join(' | ');
}

function typeOfKind(type, schema) {
  switch (type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array': {
      const item = typeOf(schema.items ?? {});
      return /^\w+$/.test(item) ? `${item}[]` : `(${item})[]`;
    }
    default:
      return schema.properties ? objectOf(schema) : 'Record<string, unknown>';
  }
}

function objectOf({ properties, required = [] }, indent = '') {
  const fields = Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? '' : '?';
    return `${comment(schema.description, `${indent}  `)}${indent}  ${name}${optional}: ${typeOf(schema)};\n`;
  });
  return `{\n${fields.join('')}${indent}}`;
}

function comment(text, indent) {
  if (!text) return '';
  const all = text.replaceAll('*/', '* /').split('\n');
  if (all.length === 1) return `${indent}/** ${all[0]} */\n`;
  return `${indent}/**\n${all.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}

function method({ name, summary, description, arguments: args, result }) {
  const properties = Object.fromEntries(args.map((argument) => [
    argument.name,
    { ...argument.schema, description: argument.description ?? argument.schema.description },
  ]));
  const required = args.filter((argument) => argument.required).map((argument) => argument.name);
  const type = args.length ? objectOf({ properties, required }, '  ') : 'Record<string, never>';
  const head = comment([summary, description].filter(Boolean).join('\n\n'), '  ');
  return `${head}  ${name}(args${required.length ? '' : '?'}: ${type}, options?: CallOptions): Promise<${result ?? 'null'}>;\n`;
}

const [source, file, mode] = process.argv.slice(2);
const { operations, schemas } = JSON.parse(readFileSync(source, 'utf8'));

const types = Object.entries(schemas).map(([name, schema]) => {
  const plain = schema.type === 'object' && schema.properties;
  const body = plain ? `interface ${name} ${objectOf(schema)}` : `type ${name} = ${typeOf(schema)};`;
  return `${comment(schema.description, '')}export ${body}\n`;
});
const paged = operations.filter((operation) => operation.item);
const text = `// Generated from the OpenAPI document by \`make generated\`.

/** How one call is made. */
export interface CallOptions {
  /** Makes a repeat of a write by the caller safe, for 24 hours. Repeats by the client are safe in any case. */
  idempotencyKey?: string;
  /** Milliseconds that the call may take. */
  timeout?: number;
  /** Gives the call up. What it asked for may have been done. */
  signal?: AbortSignal;
}

${types.join('\n')}
/** A method for each operation of the contract. */
export interface Operations {
${operations.map(method).join('\n')}}

/** What each paged list holds. */
export interface Paged {
${paged.map(({ name, item }) => `  ${name}: ${item};\n`).join('')}}

/** Every operation of the contract. */
export const OPERATIONS: readonly (keyof Operations)[] = [
${operations.map(({ name }) => `  '${name}',\n`).sort().join('')}];
`;

if (mode !== '--check') {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  console.error(`${file} is not what the OpenAPI document says: run \`make generated\` and commit the result`);
  process.exitCode = 1;
}

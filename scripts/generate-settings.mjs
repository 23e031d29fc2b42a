#!/usr/bin/env node
// Writes what TypeScript knows of the engine's settings. Usage: generate-settings.mjs <configuration.schema.json> <file> [--check]
import { readFileSync, writeFileSync } from 'node:fs';

function typeOf(schema, indent) {
  if (schema === true) return 'unknown';
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const kinds = schema.oneOf ?? schema.anyOf;
  if (kinds) return [...new Set(kinds.map((kind) => typeOf(kind, indent)))].join(' | ');
  return [schema.type].flat().map((type) => typeOfKind(type, schema, indent)).join(' | ');
}

function typeOfKind(type, schema, indent) {
  switch (type) {
    case 'integer':
      return 'number';
    case 'array': {
      const item = typeOf(schema.items ?? true, indent);
      return /^\w+$/.test(item) ? `${item}[]` : `(${item})[]`;
    }
    case 'object':
      return schema.properties ? objectOf(schema.properties, indent) : `Record<string, ${typeOf(schema.additionalProperties ?? true, indent)}>`;
    default:
      return type;
  }
}

function objectOf(properties, indent) {
  const inner = `${indent}  `;
  const fields = Object.entries(properties).map(([name, schema]) => {
    const comment = schema.description ? `${inner}/** ${schema.description.replaceAll('*/', '* /').replaceAll('\n', ' ')} */\n` : '';
    return `${comment}${inner}${name}?: ${typeOf(schema, inner)};\n`;
  });
  return `{\n${fields.join('')}${indent}}`;
}

const [source, file, mode] = process.argv.slice(2);
const { properties } = JSON.parse(readFileSync(source, 'utf8'));
const text = `// Generated from docs/configuration.schema.json by \`make generated\`.

/** The settings of an engine. None has to be set. */
export interface Settings ${objectOf(properties, '')}
`;

if (mode !== '--check') {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  console.error(`${file} is not what the configuration's schema says: run \`make generated\` and commit the result`);
  process.exitCode = 1;
}

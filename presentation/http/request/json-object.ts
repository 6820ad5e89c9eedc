import { JsonText } from '../../../domain/json-text.ts';

/** An object as JSON: its fields, and members that are JSON already. */
export const jsonObject = (fields: object, members: Readonly<Record<string, JsonText>>): JsonText => {
  let text = JSON.stringify(fields).slice(0, -1);
  for (const [name, { text: value }] of Object.entries(members)) text += `,"${name}":${value}`;
  return new JsonText(`${text}}`);
};

import pg from 'pg';

/** Quote names and texts for DDL, which takes no parameters. The driver does the escaping. */
export const identifier = (name: string): string => pg.escapeIdentifier(name);
export const literal = (text: string): string => pg.escapeLiteral(text);

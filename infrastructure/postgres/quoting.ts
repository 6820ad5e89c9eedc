import pg from 'pg';

/** Names and texts in statements that take no parameters (DDL); the driver's own escaping. */
export const identifier = (name: string): string => pg.escapeIdentifier(name);
export const literal = (text: string): string => pg.escapeLiteral(text);

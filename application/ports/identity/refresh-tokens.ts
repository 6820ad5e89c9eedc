/** Makes random refresh tokens of at least 128 bits. Only their hashes are stored. */
export interface RefreshTokens {
  create(): { readonly token: string; readonly hash: Uint8Array };
  hashOf(token: string): Uint8Array;
}

/** Makes random tokens of at least 128 bits. Only their hashes are stored. */
export interface RandomTokens {
  create(): { readonly token: string; readonly hash: Uint8Array };
  hashOf(token: string): Uint8Array;
}

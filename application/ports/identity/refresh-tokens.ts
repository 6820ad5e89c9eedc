/** Makes refresh tokens: random, and long enough that nobody guesses one. */
export interface RefreshTokens {
  create(): { readonly token: string; readonly hash: Uint8Array };
  hashOf(token: string): Uint8Array;
}

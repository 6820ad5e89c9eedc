/** Where a request without a token comes from. */
export interface Origin {
  readonly address: string;
  readonly requestId: string;
}

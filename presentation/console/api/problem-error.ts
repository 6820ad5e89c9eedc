interface ProblemFields {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;
  readonly fields: readonly { readonly path: string; readonly message: string }[];
}

/** What the service answered in place of what was asked for, or that it did not answer at all (status 0). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemFields;

  constructor(problem: ProblemFields, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

interface ProblemBody {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly request_id?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export const problemOf = async (response: Response): Promise<ProblemError> => {
  // Whatever stands between the page and the service may answer as well: then it is no problem+json.
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ProblemError({
    status: response.status,
    code: body.code ?? `http_${response.status}`,
    title: body.title ?? 'Something between this page and the service answered',
    detail:
      body.detail ?? `The answer was ${response.status} ${response.statusText}, without an explanation.`,
    requestId: body.request_id ?? response.headers.get('X-Request-Id'),
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
    fields: body.errors ?? [],
  });
};

export const unreachable = (cause: unknown): ProblemError =>
  new ProblemError(
    {
      status: 0,
      code: 'unreachable',
      title: 'The service does not answer',
      detail: 'This page cannot reach the service. It goes on by itself when the service is there again.',
      requestId: null,
      retryAfterSeconds: null,
      fields: [],
    },
    { cause },
  );

/** Whether something was no longer as the page showed it. Nothing was done then. */
export const isConflict = (error: unknown): boolean =>
  error instanceof ProblemError && /_(?:conflict|changed)$/.test(error.problem.code);

export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof ProblemError && codes.includes(error.problem.code);

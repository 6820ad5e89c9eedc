import {
  readPage,
  type Page,
  type PagePart,
  type PageRequest,
  type PartRequest,
} from '../../../domain/page.ts';
import type { ResponseShare } from './response-account.ts';

/** The query of a list's route. */
interface ListQuery<Key> {
  readonly limit: number;
  readonly cursor: Key | null;
}

/**
 * Reads the page that one request asks for. A HEAD request gets an empty page and reads nothing: its answer has the
 * headers of a page, without a length that only the rows could tell.
 */
export class PageReader {
  readonly #share: ResponseShare;
  readonly #readsRows: boolean;
  #skipped = false;

  constructor(share: ResponseShare, { readsRows }: { readonly readsRows: boolean }) {
    this.#share = share;
    this.#readsRows = readsRows;
  }

  /** Whether a page was asked for and not read. */
  get skipped(): boolean {
    return this.#skipped;
  }

  /** From a list of which 200 rows are always small. */
  read<Item, Key>(
    query: ListQuery<Key>,
    list: (page: PageRequest<Key>) => Promise<Page<Item, Key>>,
  ): Promise<Page<Item, Key>> {
    return this.#unlessHead(() => list(toRequest(query)));
  }

  /**
   * From a list whose rows may be large.
   *
   * @throws {OrganizationBusyError} when too many bytes of answers are under way
   */
  readSized<Item, Key>(
    query: ListQuery<Key>,
    list: (part: PartRequest<Key>) => Promise<PagePart<Item, Key>>,
  ): Promise<Page<Item, Key>> {
    return this.#unlessHead(() => readPage(list, toRequest(query), (bytes) => this.#share.reserve(bytes)));
  }

  async #unlessHead<Item, Key>(read: () => Promise<Page<Item, Key>>): Promise<Page<Item, Key>> {
    if (this.#readsRows) return read();
    this.#skipped = true;
    return { items: [], next: null };
  }
}

const toRequest = <Key>({ limit, cursor }: ListQuery<Key>): PageRequest<Key> => ({ limit, after: cursor });

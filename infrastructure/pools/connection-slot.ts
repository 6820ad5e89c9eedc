/**
 * - `connecting`: the connect is under way.
 * - `in use`: somebody has the connection.
 * - `idle`: the connection is open, and nobody has it.
 * - `closing`: the connection is being closed, and the server has not hung up yet.
 * - `refused`: there was no connection, because the server takes no more.
 * - `gone`: the server has hung up, or the connect failed for another reason.
 */
export type SlotState = 'connecting' | 'in use' | 'idle' | 'closing' | 'refused' | 'gone';

/** Every legal move. `in use` follows itself when one request hands the connection to the next. */
const MOVES: Readonly<Record<SlotState, readonly SlotState[]>> = {
  connecting: ['in use', 'refused', 'gone'],
  'in use': ['in use', 'idle', 'closing'],
  idle: ['in use', 'closing'],
  closing: ['gone'],
  refused: [],
  gone: [],
};

/**
 * The right to have one connection to the server, from before the connect until after the server has hung up.
 *
 *   connecting ──→ in use ⇄ idle
 *     │    │          └──┬───┘
 *     │    │          closing
 *     ↓    ↓             ↓
 * refused  └──────────→ gone
 *
 * The budget makes the slots and hears of every move. Nobody else tells it what connections do. Decision 0008.
 */
export class ConnectionSlot {
  #state: SlotState = 'connecting';
  readonly #onMove: (from: SlotState, to: SlotState) => void;

  /** @param onMove called after each move */
  constructor(onMove: (from: SlotState, to: SlotState) => void) {
    this.#onMove = onMove;
  }

  get state(): SlotState {
    return this.#state;
  }

  /** @throws {Error} when the move is not legal: the caller has lost track of its connection */
  move(to: SlotState): void {
    const from = this.#state;
    if (!MOVES[from].includes(to))
      throw new Error(`a connection slot that is "${from}" cannot become "${to}"`);
    this.#state = to;
    this.#onMove(from, to);
  }
}

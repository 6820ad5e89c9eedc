import { memo, useDeferredValue, useRef, type KeyboardEvent, type ReactNode } from 'react';

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand to the right. */
  readonly numeric?: boolean;
  /** Keeps its width whatever is in it: columns that jump cannot be read. */
  readonly width?: string;
  /** Left out where the page is narrow. */
  readonly minor?: boolean;
}

interface TableProps<Row> {
  /** What it is a table of, for who does not see it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Shown in place of no rows. */
  readonly empty: ReactNode;
}

/** About what a window shows. */
const FIRST_ROWS = 30;

/** A list. `j` and `k` move between the links of its rows, and Enter follows them. */
export const Table = <Row,>({ label, columns, rows, rowKey, empty }: TableProps<Row>): ReactNode => {
  const body = useRef<HTMLTableSectionElement>(null);
  // What is below the window comes a moment later, and nobody waits for it.
  const shown = useDeferredValue(rows, rows.slice(0, FIRST_ROWS));
  const move = (event: KeyboardEvent): void => {
    if ((event.key !== 'j' && event.key !== 'k') || event.target instanceof HTMLInputElement) return;
    const links = Array.from(body.current?.querySelectorAll<HTMLElement>('tr > :first-child a') ?? []);
    const at = links.findIndex((link) => link.closest('tr')?.contains(document.activeElement) === true);
    links.at(Math.min(links.length - 1, Math.max(0, at + (event.key === 'j' ? 1 : -1))))?.focus();
  };
  if (rows.length === 0) return <div className="empty">{empty}</div>;
  return (
    // A wide table scrolls by itself: who has no mouse has to reach it. The keys are for the links in it.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions
    <section className="table" aria-label={label} tabIndex={0} onKeyDown={move}>
      <table>
        <caption className="hidden">{label}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" className={classOf(column)} style={widthOf(column.width)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {shown.map((row) => (
            <Cells key={rowKey(row)} columns={columns} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  );
};

interface CellsProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly row: Row;
}

/**
 * A list is asked for again and again: rows that came back as they were are not rendered again. React's types of `memo` do not
 * keep that its props are generic.
 */
const Cells = memo(<Row,>({ columns, row }: CellsProps<Row>): ReactNode => (
  <tr>
    {columns.map((column) => (
      <td key={column.head} className={classOf(column)}>
        {column.cell(row)}
      </td>
    ))}
  </tr>
)) as <Row>(props: CellsProps<Row>) => ReactNode;

const classOf = <Row,>({ numeric, minor }: Column<Row>): string | undefined =>
  [numeric === true && 'numeric', minor === true && 'minor'].filter(Boolean).join(' ') || undefined;

const widthOf = (width: string | undefined): { readonly width: string } | undefined =>
  width === undefined ? undefined : { width };

import { useEffect, useId, useState, type ReactNode } from 'react';

interface SearchBoxProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

const TYPING_MS = 300;

/** Asks when somebody has stopped typing. The key `/` leads here. */
export const SearchBox = ({ label, value, onChange }: SearchBoxProps): ReactNode => {
  const [typed, setTyped] = useState(value ?? '');
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    // The address has changed without this field: by the browser's history, or by a link.
    setSeen(value);
    setTyped(value ?? '');
  }
  useEffect(() => {
    if (typed === (value ?? '')) return;
    const timer = setTimeout(() => onChange(typed.trim() || undefined), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <label className="inline">
      <span>{label}</span>
      <input type="search" data-filter="" value={typed} onChange={(event) => setTyped(event.target.value)} />
    </label>
  );
};

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value | undefined;
  readonly options: readonly Value[];
  readonly onChange: (value: Value | undefined) => void;
  /** What no choice is called. */
  readonly any?: string;
}

export const Choice = <Value extends string>(props: ChoiceProps<Value>): ReactNode => {
  const { label, value, options, onChange, any = 'any' } = props;
  const id = useId();
  return (
    <label className="inline" htmlFor={id}>
      <span>{label}</span>
      <select
        id={id}
        value={value ?? ''}
        onChange={({ target }) => onChange(options.find((option) => option === target.value))}
      >
        <option value="">{any}</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {option.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </label>
  );
};

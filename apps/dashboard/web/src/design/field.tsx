import { useId, type ReactNode } from 'react';

/** What the input of a field takes, so that its label and what is said of it belong to it. */
interface FieldProps {
  id: string;
  'aria-invalid': boolean | undefined;
  'aria-describedby': string | undefined;
}

/** A labelled input with a hint, or, in its place, what is wrong with it. */
export function Field({
  label,
  hint,
  fault,
  children,
}: {
  label: string;
  hint?: string;
  fault?: string | undefined;
  children: (props: FieldProps) => ReactNode;
}): ReactNode {
  const id = useId();
  const said = fault ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-invalid': fault ? true : undefined,
        'aria-describedby': said ? `${id}-said` : undefined,
      })}
      {said && (
        <span
          id={`${id}-said`}
          className={fault ? 'field-error' : 'field-hint'}
          role={fault ? 'alert' : undefined}
        >
          {said}
        </span>
      )}
    </div>
  );
}

/** A row's values above its outputs, as text. */
export function Values(props: { values: readonly (readonly [string, string])[] }) {
  return (
    <dl class="pm-rate-values">
      {props.values.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

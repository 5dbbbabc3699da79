import { Tag } from "../parts/ui";

/** A label, with the version that it holds where that does not stand beside it. */
export function LabelChip(props: { label: string; version?: string }) {
  const kind = props.label === "production" ? "done" : "";
  return (
    <Tag kind={kind} title={props.version ? `${props.label} holds ${props.version}` : props.label}>
      <span>{props.label}</span>
      {props.version && <b class="pm-number">{props.version}</b>}
    </Tag>
  );
}

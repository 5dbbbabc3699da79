import { useEffect, useState } from "preact/hooks";
import { useHost, useTrait } from "./hooks";
import { ErrorNote } from "./ui";

/** Says that the kernel does not answer, and how to go on from there: nothing else tells a view of a restart. */
export function Silence() {
  const host = useHost();
  const [silent, set] = useState(host.silent);
  const { progress } = useTrait("state_run");
  useEffect(() => host.watchSilence(() => set(host.silent)), [host]);
  if (!silent) return null;
  const kept =
    progress?.status === "running"
      ? "; the run is taken up where it was, and what was answered is not asked for again"
      : "";
  return (
    <div class="pm-silence">
      <ErrorNote
        error={{
          message: "The kernel does not answer, so what stands here may be old.",
          hint: `If a cell keeps it busy, what you clicked is done after it. If it was restarted, run the notebook's cells again${kept}. What you type in Draft is kept in this browser meanwhile.`,
          kind: "kernel",
        }}
      />
    </div>
  );
}

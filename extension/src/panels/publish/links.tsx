import { useHost } from "../../parts/hooks";

/** A version's name that leads to Compare. */
export function VersionLink(props: { version: string; against?: string | null }) {
  const host = useHost();
  const { version, against } = props;
  return (
    <button
      type="button"
      class="pm-link pm-number"
      title={against ? `Compare ${against} with ${version}` : `Show ${version} in Compare`}
      onClick={() => {
        void host.call("choose_pair", { baseline: against ?? host.get("baseline"), version });
        void host.call("show", { panel: "compare" });
      }}
    >
      {version}
    </button>
  );
}

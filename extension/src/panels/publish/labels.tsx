import { backOf } from "../../logic/effect";
import type { RegistryPromptView } from "../../model";
import { useAct, useTrait } from "../../parts/hooks";
import { Button, Time } from "../../parts/ui";
import { VersionLink } from "./links";
import type { Rolling } from "./move";

/** Where each label stands, since when, by whom and why, and what it would go back to. */
export function Labels(props: {
  prompt: RegistryPromptView;
  off: boolean;
  onRoll: (rolling: Rolling) => void;
}) {
  const { labels } = props.prompt;
  const label = useTrait("label");
  const choose = useAct("choose_label");
  if (labels.length === 0)
    return (
      <section aria-label="Labels">
        <div class="pm-head">
          <h3>Labels</h3>
        </div>
        <p class="pm-soft">The registry holds no label of this prompt yet: the first move sets it.</p>
      </section>
    );
  return (
    <section aria-label="Labels">
      <div class="pm-head">
        <h3>Labels</h3>
      </div>
      <div class="pm-table-box">
        <table class="pm-table pm-labels">
          <tbody>
            {labels.map((each) => (
              <tr key={each.label} aria-current={each.label === label}>
                <th scope="row">
                  <button
                    type="button"
                    class="pm-link"
                    onClick={() => void choose.run({ label: each.label })}
                    title={`Move ${each.label} below`}
                  >
                    {each.label}
                  </button>
                </th>
                <td>
                  <VersionLink version={each.version} against={each.previous} />
                </td>
                <td>
                  <div class="pm-reason" dir="auto" title={each.reason}>
                    {each.reason}
                  </div>
                  <div class="pm-soft">
                    {each.moved_by}, <Time at={each.moved_at} />
                  </div>
                </td>
                <td class="pm-right">
                  {each.previous && (
                    <Button
                      disabled={props.off}
                      onClick={() => {
                        const to = each.previous as string;
                        void choose.run({ label: each.label }).then(() => {
                          props.onRoll({ label: each.label, to });
                        });
                      }}
                    >
                      {backOf(each.label, each.version, each.previous)}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

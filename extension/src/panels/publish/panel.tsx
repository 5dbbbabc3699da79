import { useEffect, useState } from "preact/hooks";
import type { RegistryView } from "../../model";
import { useAct, useHost, useTrait } from "../../parts/hooks";
import { useKept } from "../../parts/typed";
import { Button, Empty, ErrorNote, Loading, Prose } from "../../parts/ui";
import { Impact } from "./impact";
import { Labels } from "./labels";
import { Move, type Rolling } from "./move";
import { Timeline } from "./timeline";

/** While the registry does not answer it is asked again this often. */
const AGAIN = 5000;

export function PublishPanel() {
  const registry = useTrait("state_registry");
  const gate = useTrait("state_gate");
  const prompt = useTrait("prompt");
  const host = useHost();
  const refresh = useAct("refresh_registry");
  // A rollback that was begun, and whether the change is about to be evaluated: parts of this panel lead to each other.
  const [rolling, roll] = useKept<Rolling>(`rollback of ${prompt}`);
  const [evaluating, evaluate] = useState(false);
  // What the registry told last stays, under the word that it can't be asked now.
  const unheard =
    registry.view?.state === "down" ||
    Boolean(registry.error) ||
    gate.error?.kind === "RegistryUnavailableError";
  useEffect(() => {
    if (!unheard) return;
    const timer = setInterval(() => {
      if (!document.hidden) void host.call("refresh_registry", {}).catch(() => undefined);
    }, AGAIN);
    return () => clearInterval(timer);
  }, [unheard, host]);
  const again = (
    <Button onClick={() => void refresh.run({})} busy={refresh.busy}>
      {refresh.busy ? "Refreshing…" : "Refresh"}
    </Button>
  );
  if (!registry.ready) return <Loading what="the registry" lines={5} />;
  const failed = registry.error && <ErrorNote error={registry.error}>{again}</ErrorNote>;
  if (failed && registry.prompt?.name !== prompt) return failed;
  const view = registry.view;
  if (view?.state === "none")
    return (
      <Empty title="Nothing can be published from here yet">
        <p>
          <Prose text={view.message} />
        </p>
      </Empty>
    );
  const held = registry.prompt;
  const away = view && view.state !== "connected" ? view : null;
  if (away && !held) return <Away view={away}>{again}</Away>;
  if (!prompt || !held)
    return (
      <Empty title="Nothing to publish yet">
        <p>Write a prompt in Draft and save a version.</p>
        <Button kind="primary" onClick={() => void host.call("show", { panel: "draft" })}>
          Go to Draft
        </Button>
      </Empty>
    );
  const off = away !== null || Boolean(failed);
  return (
    <>
      {failed || (away && <Away view={away}>{again}</Away>)}
      <div class={`pm-publish ${off ? "pm-old" : ""}`}>
        <div class="pm-publish-main">
          <Labels prompt={held} off={off} onRoll={roll} />
          <Move prompt={held} off={off} rolling={rolling} onRoll={roll} onEvaluate={() => evaluate(true)} />
          <Impact open={evaluating} onOpen={evaluate} off={off} />
        </div>
        <aside class="pm-publish-side">
          <div class="pm-head">
            <h3>Change log</h3>
            <span class="pm-push" />
            <span class="pm-soft pm-cut" title={view?.where}>
              {view?.principal ? `as ${view.principal}${view.role ? `, ${view.role}` : ""}` : view?.where}
            </span>
            {!off && again}
          </div>
          <Timeline prompt={held} off={off} onRoll={roll} />
        </aside>
      </div>
    </>
  );
}

function Away(props: { view: RegistryView; children: preact.ComponentChildren }) {
  const { view } = props;
  return (
    <div class="pm-publish-down">
      <ErrorNote error={{ message: view.message, kind: "RegistryError" }}>{props.children}</ErrorNote>
      <p class="pm-soft">
        Drafting, comparing and evaluating go on as before; production keeps serving what it has.
        {view.state === "down" && ` ${view.where} is asked again by itself.`}
      </p>
    </div>
  );
}

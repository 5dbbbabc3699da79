import type { JSX } from "preact";
import { useContext, useLayoutEffect, useRef, useState } from "preact/hooks";
import { count, plural } from "../../logic/format";
import { grades, gradeWord, stroke } from "../../logic/rating";
import type { BlindView, QuestionView } from "../../model";
import { useAct, WidthContext } from "../../parts/hooks";
import { Plain } from "../../parts/plain";
import { Button, ErrorNote } from "../../parts/ui";
import { Values } from "./values";

/** One question after the other. Nothing is chosen beforehand, and no answer is sent twice. */
export function Blind(props: { blind: BlindView }) {
  const { blind } = props;
  const answer = useAct("answer");
  const back = useAct("take_back");
  const pause = useAct("pause_rating");
  const sheet = useRef<HTMLElement>(null);
  const { question, answered, total } = blind;
  const sent = useRef(0);
  // Whoever rates by pointer finds the buttons where they were, although the next texts are shorter.
  const width = useContext(WidthContext);
  const tallest = useRef<Tallest>({ width, height: 0 });
  if (tallest.current.width !== width) tallest.current = { width, height: 0 };
  const number = question?.number ?? total + 1;

  // The focus goes on with the question: a key is never pressed on a button of the one before.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it follows the number
  useLayoutEffect(() => {
    const root = sheet.current?.closest(".pm-root");
    // Some front ends keep the view in a shadow tree, whose focus the document does not tell.
    const focus = (root?.getRootNode() as Document | ShadowRoot | undefined)?.activeElement;
    const inside = root?.contains(focus ?? null) || document.activeElement === document.body;
    if (inside) sheet.current?.focus({ preventScroll: true });
  }, [number]);

  // By number, not by whether an answer is under way: the next question may be there before the last one's reply is.
  const choose = (choice: string) => {
    if (!question || sent.current === question.number) return;
    sent.current = question.number;
    void answer.run({ number: question.number, choice }).finally(() => {
      if (sent.current === question.number) sent.current = 0;
    });
  };
  const undo = () => {
    if (answered > 0) void back.run({ number: answered + 1 });
  };
  const keys = (event: JSX.TargetedKeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    // Space and Enter on a button press that button.
    if (event.key === " " && (event.target as HTMLElement).tagName === "BUTTON") return;
    const meant = stroke(event.key, question ? blind.choices : []);
    if (meant === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (meant === "back") undo();
    else choose(meant.choice);
  };

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys work wherever the focus is in the question
    <section class="pm-rate" aria-label="Question" ref={sheet} tabIndex={0} onKeyDown={keys}>
      <div class="pm-row">
        <div
          class="pm-progressbar"
          role="progressbar"
          aria-label="Rated"
          aria-valuenow={answered}
          aria-valuemin={0}
          aria-valuemax={total}
          aria-valuetext={`${answered} of ${total}`}
        >
          <span style={{ width: `${(100 * answered) / Math.max(1, total)}%` }} />
        </div>
        <span class="pm-number pm-soft" role="status">
          {count(answered)} of {plural(total, "question")} rated by {blind.rater}
        </span>
        <span class="pm-push" />
        <Button kind="quiet" disabled={answered === 0} busy={back.busy} onClick={undo}>
          Undo <kbd>u</kbd>
        </Button>
        <Button busy={pause.busy} onClick={() => void pause.run({})}>
          Pause
        </Button>
      </div>
      {answer.error && <ErrorNote error={answer.error} onClose={answer.clear} />}
      {back.error && <ErrorNote error={back.error} onClose={back.clear} />}
      {question ? (
        <Question
          key={question.number}
          question={question}
          blind={blind}
          choose={choose}
          tallest={tallest.current}
        />
      ) : (
        <p class="pm-sentence">Everything is rated.</p>
      )}
      <RevealBar key={answered} blind={blind} />
    </section>
  );
}

interface Tallest {
  width: number;
  height: number;
}

function Question(props: {
  question: QuestionView;
  blind: BlindView;
  choose: (choice: string) => void;
  tallest: Tallest;
}) {
  const { question, blind, choose, tallest } = props;
  return (
    <>
      <div
        class="pm-rate-sheet"
        style={{ minHeight: `${tallest.height}px` }}
        ref={(sheet) => {
          if (sheet) tallest.height = Math.max(tallest.height, sheet.offsetHeight);
        }}
      >
        <Values values={question.values} />
        <Texts names={question.texts.length > 1 ? ["Left", "Right"] : ["Output"]} texts={question.texts} />
      </div>
      <h3 class="pm-rate-ask">
        {blind.kind === "pairwise" ? "Which output is better?" : "How good is this output?"}
      </h3>
      {blind.kind === "pairwise" ? <PairChoices choose={choose} /> : <Grades blind={blind} choose={choose} />}
    </>
  );
}

function PairChoices(props: { choose: (choice: string) => void }) {
  const { choose } = props;
  return (
    <div class="pm-rate-choices">
      <Button onClick={() => choose("left")}>
        <kbd>←</kbd> Left is better
      </Button>
      <Button onClick={() => choose("tie")}>
        Tie <kbd>space</kbd>
      </Button>
      <Button kind="quiet" onClick={() => choose("skip")}>
        Skip <kbd>s</kbd>
      </Button>
      <Button onClick={() => choose("right")}>
        Right is better <kbd>→</kbd>
      </Button>
    </div>
  );
}

function Grades(props: { blind: BlindView; choose: (choice: string) => void }) {
  const { blind, choose } = props;
  const all = grades(blind.choices);
  return (
    <div class="pm-rate-choices pm-rate-grades">
      {all.map((grade) => (
        <Button
          key={grade}
          onClick={() => choose(grade)}
          label={`${grade}${gradeWord(grade, all) ? `, ${gradeWord(grade, all)}` : ""}`}
        >
          <b class="pm-number">{grade}</b> <span class="pm-soft">{gradeWord(grade, all)}</span>
        </Button>
      ))}
      <Button kind="quiet" onClick={() => choose("skip")}>
        Skip <kbd>s</kbd>
      </Button>
    </div>
  );
}

/** Outputs side by side, as text whatever they hold; long ones scroll together. */
export function Texts(props: { names: readonly string[]; texts: readonly string[] }) {
  const box = useRef<HTMLDivElement>(null);
  const together = (event: JSX.TargetedEvent<HTMLElement>) => {
    const moved = event.currentTarget;
    const span = moved.scrollHeight - moved.clientHeight;
    const share = span > 0 ? moved.scrollTop / span : 0;
    for (const other of box.current?.querySelectorAll<HTMLElement>(".pm-rate-text") ?? []) {
      if (other === moved) continue;
      const to = Math.round(share * (other.scrollHeight - other.clientHeight));
      if (Math.abs(other.scrollTop - to) > 1) other.scrollTop = to;
    }
  };
  return (
    <div class="pm-rate-pair" ref={box}>
      {props.texts.map((text, at) => (
        <figure key={props.names[at]} class="pm-rate-output">
          <figcaption class="pm-soft">{props.names[at]}</figcaption>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text is scrolled by keyboard */}
          <section class="pm-rate-text" tabIndex={0} aria-label={props.names[at]} onScroll={together}>
            <pre dir="auto">
              {text ? <Plain text={text} /> : <span class="pm-soft">(an empty output)</span>}
            </pre>
          </section>
        </figure>
      ))}
    </div>
  );
}

/** The reveal: a matter of course at the end, and before it an act that says what it costs. */
function RevealBar(props: { blind: BlindView }) {
  const { answered, total } = props.blind;
  const reveal = useAct("reveal");
  const [sure, setSure] = useState(false);
  const left = total - answered;
  if (answered === 0) return null;
  return (
    <div class="pm-row pm-rate-reveal">
      {left === 0 ? (
        <Button kind="primary" busy={reveal.busy} onClick={() => void reveal.run({ early: false })}>
          Reveal which version was which
        </Button>
      ) : sure ? (
        <>
          <span>{plural(left, "question")} open: after a look you are no longer blind.</span>
          <Button busy={reveal.busy} onClick={() => void reveal.run({ early: true })}>
            Reveal now, with {plural(answered, "answer")}
          </Button>
          <Button kind="quiet" onClick={() => setSure(false)}>
            Keep on rating
          </Button>
        </>
      ) : (
        <Button kind="quiet" onClick={() => setSure(true)}>
          Reveal early…
        </Button>
      )}
      {reveal.error && <ErrorNote error={reveal.error} onClose={reveal.clear} />}
    </div>
  );
}

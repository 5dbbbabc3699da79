// The traits of the Python widget and the shapes inside them. tests/widgets/test_traits.py compares the names in
// `Traits` with the widget's; pressmark.widgets.protocols documents every field.

export type Verdict = "better" | "worse" | "cannot tell";
export type RunStatus = "running" | "done" | "stopped" | "cancelled" | "failed";
export type Change = "better" | "worse" | "same" | "error" | "pending";
export type RowFilter = "all" | "flipped" | "better" | "worse" | "errors";
export type RowSort = "row" | "flipped" | "change";
export type PanelName = "draft" | "compare" | "evaluate" | "rate" | "publish";
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** An error as Python tells it: the sentence, and what is known beside it. */
export interface Told {
  message: string;
  kind: string;
  line?: number;
  column?: number;
  hint?: string;
  details?: string;
  /** Of a conflict: where the label stands instead. */
  current?: string | { version: string; seq: number; moved_by: string; moved_at: string; reason: string };
}

export interface VariableBody {
  type: string;
  default?: Json;
  example?: Json;
  description?: string;
}

export type Message = { role: string; content?: Json } & { [key: string]: Json | undefined };

export interface UnitBody {
  kind: "chat" | "text";
  messages: Message[];
  text: string;
  variables: Record<string, VariableBody>;
  model: string;
  params: Record<string, Json>;
  tools: Json[] | null;
  tool_choice: Json;
  response_format: Json;
  inputs: Record<string, string>;
}

export interface PromptView {
  name: string;
  versions: number;
  latest: string | null;
  updated_at: string | null;
  draft: boolean;
}

export interface VersionView {
  version: string;
  digest: string;
  message: string;
  author: string;
  created_at: string;
  parent: string | null;
  restores: string | null;
  published?: string | null;
  labels?: string[];
}

export interface SavedView extends VersionView {
  created: boolean;
}

export interface CheckError {
  message: string;
  line: number | null;
  column: number | null;
  where: string;
  path?: (string | number)[];
}

export interface VariableView {
  name: string;
  type: string;
  used: boolean;
  declared: boolean;
  required: boolean;
  example: string;
}

export interface PreviewView {
  messages: { role: string; content: string }[];
  values: Record<string, string>;
  row: number | null;
  rows: number;
  error: CheckError | null;
  estimate: CallEstimateView | null;
}

export interface CallEstimateView {
  tokens_in: number;
  tokens_out: number | null;
  cost: number | null;
  basis: string;
}

export interface TryView {
  status: "asking" | "answering" | "done" | "stopped" | "failed";
  text: string;
  endpoint: string;
  dataset: string | null;
  row: number | null;
  seconds: number;
  ttft: number | null;
  tokens_in: number | null;
  tokens_out: number | null;
  cost: number | null;
  model: string | null;
  finish_reason: string | null;
  error: Told | null;
}

export interface ExampleRowsView {
  dataset: string;
  columns: string[];
  total: number;
  held: number;
  rows: { row: number; values: Record<string, string>; held: boolean }[];
}

export interface ExamplesView {
  messages: Message[];
  text: string;
}

export interface DeletionView {
  dataset: string;
  versions: number;
  rows: number;
  suites: string[];
  runs: number;
  outputs: number;
  also_in: string[];
  bytes: number;
}

export interface CompactedView {
  before: number;
  after: number;
}

export interface DatasetView {
  name: string;
  rows: number;
  columns: string[];
}

export interface ScorerView {
  name: string;
  kind: "score" | "measurement";
  direction: "higher" | "lower";
  unit: string;
  primary: boolean;
  column: string | null;
}

export interface SuiteView {
  name: string;
  dataset: string;
  rows: number;
  scorers: ScorerView[];
  slice: string | null;
  /** The prompt that it judges; null where it was made for no certain one. */
  prompt: string | null;
  publishable: boolean;
  why_not: string | null;
}

export interface EndpointView {
  name: string;
  base_url: string;
  key_env: string | null;
  key_present: boolean;
  practice: boolean;
  models: string[];
}

export interface OverrideView {
  of: string;
  model: string | null;
  params: Record<string, Json>;
}

export interface BudgetView {
  money: number | null;
  tokens: number | null;
  calls: number | null;
  minutes: number | null;
}

export interface AskingView {
  repeats: number;
  concurrency: number | null;
  budget: BudgetView;
  stop_when_sure: boolean;
}

export interface EstimateView {
  rows: number;
  calls: number;
  cached: number;
  cost: number | null;
  judge_calls: number;
  unrendered: number;
  tokens_in: number;
  tokens_out: number | null;
  seconds: number | null;
  basis: string;
  smallest: number | null;
  smallest_from: string;
}

export interface RunProgress {
  run: string;
  status: RunStatus;
  name: string;
  versions: string[];
  suite: string;
  endpoint: string;
  done: number;
  total: number;
  errors: number;
  cached: number;
  rate: number | null;
  seconds_left: number | null;
  cost: number | null;
  elapsed: number;
  started_at: string;
  error: string | null;
  details: string | null;
  note: string | null;
}

export interface CellView {
  output: string;
  cut: boolean;
  error: string | null;
  pending: boolean;
  scores: Record<string, number | null>;
  change: Change | null;
  tokens_in: number | null;
  tokens_out: number | null;
  cost: number | null;
  latency: number | null;
  cached: boolean;
  model: string | null;
  score_errors?: Record<string, string>;
  request?: { role: string; content: string }[];
  full?: AnswerView;
}

export interface AnswerView {
  settings: string;
  ttft: number | null;
  finish_reason: string | null;
  attempts: number;
  tool_calls: string;
  repeats: { output: string; error: string | null; scores: Record<string, number | null> }[];
  judgements: { scorer: string; told: Record<string, string>; output: string }[];
  upstream: { version: string; fills: string; output: string; error: string | null }[];
}

export interface StandingView {
  version: string;
  n: number;
  mean: number;
  low: number | null;
  high: number | null;
  bins: number[];
  cost: number | null;
  front: boolean | null;
}

export interface StandingsView {
  scorer: string;
  edges: number[];
  items: StandingView[];
}

export interface CorrectedView {
  dataset: string;
  row: number;
  note: string;
  changes: Record<string, [string, string]>;
  suites: string[];
}

export interface RowView {
  row: number;
  values: Record<string, string>;
  inputs: string[];
  cells: Record<string, CellView>;
}

export interface OrderReply {
  token: number;
  total: number;
  counts: Record<RowFilter, number>;
  /** The first rows in this order, as many as were asked for. */
  rows: RowView[];
}

export interface GuardView {
  scorer: string;
  verdict: Verdict | null;
  sentence: string;
}

export interface SliceView {
  name: string;
  verdict: Verdict;
  difference: number;
  low: number | null;
  high: number | null;
  n: number;
  p: number;
}

export interface ComparisonView {
  baseline: string;
  candidate: string;
  scorer: string;
  sentence: string;
  verdict: Verdict | null;
  difference: number | null;
  low: number | null;
  high: number | null;
  n: number;
  up: number;
  down: number;
  same: number;
  baseline_mean: number | null;
  candidate_mean: number | null;
  provisional: boolean;
  rows_needed: number | null;
  test: string;
  guards: GuardView[];
  slices: SliceView[];
}

export type RatingKind = "pairwise" | "pointwise";

export interface RatableView {
  run: string;
  suite: string;
  versions: string[];
  rows: number;
  author: string;
  raters: { rater: string; kind: RatingKind; answers: number }[];
  why_not: string;
}

export interface QuestionView {
  number: number;
  values: [string, string][];
  texts: string[];
}

/** Where a rater stands; which version wrote what is not in it. */
export interface BlindView {
  run: string;
  rater: string;
  kind: RatingKind;
  pair: string[];
  choices: string[];
  answered: number;
  total: number;
  question: QuestionView | null;
}

export interface RatedView {
  run: string;
  kind: RatingKind;
  baseline: string;
  candidate: string;
  sentence: string;
  verdict: Verdict;
  difference: number;
  low: number;
  high: number;
  n: number;
  test: string;
  votes: number[] | null;
  vote_sentence: string;
  raters: [string, number][];
  skipped: number;
  identical: number;
  repeated: number;
  agreements: [string, string][];
  rows: { row: number; text: string; change: "better" | "worse" | "same"; votes: [string, string][] }[];
}

export interface RatedTextsView {
  values: [string, string][];
  texts: string[];
}

export interface RegistryView {
  state: "connected" | "none" | "down" | "refused";
  where: string;
  principal: string | null;
  role: string | null;
  message: string;
}

export interface LabelView {
  label: string;
  version: string;
  digest: string;
  seq: number;
  moved_at: string;
  moved_by: string;
  reason: string;
  previous: string | null;
}

export interface EntryView {
  seq: number;
  kind: string;
  at: string;
  actor: string;
  reason: string;
  sentence: string;
  label: string | null;
  before: string | null;
  after: string | null;
}

export interface RegistryPromptView {
  name: string;
  versions: VersionView[];
  labels: LabelView[];
  log: EntryView[];
}

export interface ReasonView {
  code: string;
  sentence: string;
  next_step: string;
  blocking: boolean;
  met: boolean;
  /** Only where the line tells of evidence. */
  verdict?: Verdict | null;
  /** Only where the workbench can do something about it. */
  act?: ActView;
}

export interface ActView {
  kind: "evaluate" | "submit" | "flips" | "draft" | "compare";
  effect: string;
  run?: string;
  versions?: string[];
}

export type Outcome = Verdict | "new" | "not evaluated";

export interface SuiteOutcomeView {
  suite: string | null;
  outcome: Outcome;
  sentence: string;
  run: string | null;
}

export interface AffectedView {
  name: string;
  outcome: Outcome;
  suites: SuiteOutcomeView[];
}

export interface ImpactView {
  name: string;
  label: string;
  to: string;
  prompts: AffectedView[];
  edges: [string, string][];
  source: "none" | "here" | "registry";
  sentence: string;
  made_by: string | null;
  made_at: string | null;
  submitted: boolean;
}

export interface StepPlanView {
  prompt: string;
  suite: string;
  calls: number;
  cached: number;
  cost: number | null;
}

export interface ChangePlanView {
  steps: StepPlanView[];
  unjudged: string[];
  calls: number;
  cached: number;
  cost: number | null;
}

export interface ChangeProgressView {
  name: string;
  label: string;
  to: string;
  status: "running" | "done" | "cancelled" | "failed";
  step: number;
  steps: number;
  prompt: string;
  suite: string;
  done: number;
  total: number;
  errors: number;
  cost: number | null;
  error: string | null;
}

export interface SubmittedView {
  digest: string;
  published: string | null;
}

export interface ClientView {
  name: string;
  label: string;
  state: string;
  message: string;
  version: string | null;
  seq: number | null;
  source: string;
  confirmed_at: string | null;
  behind: number;
  heard: { seq: number; version: string | null; at: string; after_ms: number | null } | null;
}

export interface GateView {
  name: string;
  label: string;
  to: string;
  target: string | null;
  current: string | null;
  allowed: boolean;
  reasons: ReasonView[];
}

export interface PublishedView {
  version: string;
  created: boolean;
  restores: string | null;
}

export interface MovedView {
  label: string;
  before: string | null;
  after: string;
  published: string | null;
  seq: number;
}

/** What every state trait has: until `ready` there is nothing else in it. */
type State<T> = { ready: boolean; error?: Told | null } & Partial<T>;

export interface Traits {
  prompt: string;
  version: string;
  baseline: string;
  run: string;
  verdict: Verdict | "";
  label: string;
  panel: PanelName;
  panels: PanelName[];
  /** What was typed into single fields and not sent yet. */
  state_typed: State<{ fields: Record<string, string> }>;
  state_prompts: State<{ items: PromptView[] }>;
  state_versions: State<{ name: string; items: VersionView[] }>;
  state_draft: State<{
    name: string;
    body: UnitBody;
    base: string | null;
    saved_at: string | null;
    unsaved: boolean;
    changes: number;
    undo: number;
    redo: number;
    place: string;
    proposal: string;
    by: string;
    revision: number;
  }>;
  state_check: State<{ errors: CheckError[]; variables: VariableView[] }>;
  state_preview: State<{ dataset: string | null; row: number; view: PreviewView | null }>;
  state_try: State<{ number: number; view: TryView | null }>;
  state_compare: State<{
    name: string;
    /** The baseline first. */
    versions: string[];
    besides: string[];
    units: Record<string, UnitBody>;
    problems: Record<string, Told>;
  }>;
  state_catalog: State<{ datasets: DatasetView[]; suites: SuiteView[]; endpoints: EndpointView[] }>;
  state_evaluate: State<{
    suite: string;
    endpoint: string;
    versions: string[];
    overrides: Record<string, OverrideView>;
    asking: AskingView;
    estimate: EstimateView | null;
    estimate_error: Told | null;
  }>;
  state_runs: State<{ name: string; items: RunProgress[] }>;
  state_run: State<{
    progress: RunProgress | null;
    suite: SuiteView | null;
    scorer: string;
    candidate: string;
  }>;
  state_verdict: State<{
    run: string;
    scorer: string;
    pair: [string, string] | null;
    items: ComparisonView[];
  }>;
  state_rate: State<{
    run: string;
    offer: RatableView | null;
    blind: BlindView | null;
    revealed: RatedView | null;
  }>;
  state_registry: State<{ view: RegistryView; prompt: RegistryPromptView | null }>;
  state_publish: State<{ to: string }>;
  state_gate: State<{ name: string; label: string; to: string; view: GateView | null }>;
  state_impact: State<{
    view: ImpactView | null;
    progress: ChangeProgressView | null;
  }>;
  state_client: State<{ view: ClientView | null }>;
}

/** The commands that Python lets in, with their arguments and what they answer. */
export interface Commands {
  show: { args: { panel: PanelName }; value: null };
  keep: { args: { field: string; text: string }; value: null };
  ping: { args: Record<string, never>; value: null };
  open_prompt: { args: { name: string }; value: null };
  edit: {
    args: { view: string; name: string; body: UnitBody; base: string | null; changes: number | null };
    value: { changes: number } | null;
  };
  undo: { args: { by: number }; value: null };
  reload_draft: { args: Record<string, never>; value: null };
  delete_draft: { args: Record<string, never>; value: null };
  read_version: { args: { version: string }; value: UnitBody };
  try_once: { args: Record<string, never>; value: null };
  stop_try: { args: Record<string, never>; value: null };
  example_rows: {
    args: { dataset: string; search: string; offset: number; limit: number };
    value: ExampleRowsView | null;
  };
  examples: {
    args: { body: UnitBody; dataset: string; rows: number[]; answer: string; form: "messages" | "text" };
    value: ExamplesView;
  };
  weigh_dataset: { args: { dataset: string }; value: DeletionView };
  delete_dataset: { args: { dataset: string; reason: string; runs: boolean }; value: CompactedView };
  weigh_file: { args: Record<string, never>; value: CompactedView };
  compact: { args: Record<string, never>; value: CompactedView };
  start_from: { args: { version: string }; value: null };
  discard_draft: { args: Record<string, never>; value: null };
  choose_preview: { args: { dataset: string | null; row: number }; value: null };
  save: {
    args: { view: string; name: string; body: UnitBody; message: string; base: string | null };
    value: SavedView;
  };
  choose_pair: { args: { baseline: string; version: string }; value: null };
  choose_compared: { args: { versions: string[] }; value: null };
  choose_suite: { args: { suite: string }; value: null };
  choose_endpoint: { args: { endpoint: string }; value: null };
  choose_versions: { args: { versions: string[] }; value: null };
  add_override: {
    args: { of: string; model: string | null; params: Record<string, Json> };
    value: string;
  };
  keep_override: { args: { version: string }; value: string };
  choose_asking: {
    args: { repeats: number; concurrency: number | null; budget: BudgetView; stop_when_sure: boolean };
    value: null;
  };
  look_at: { args: { candidate: string }; value: null };
  standings: { args: { run: string; scorer: string }; value: StandingsView | null };
  correct_row: {
    args: { run: string; row: number; values: Record<string, string>; message: string };
    value: CorrectedView;
  };
  move_suites: { args: { dataset: string; suites: string[] }; value: string[] };
  choose_scorer: { args: { scorer: string }; value: null };
  start_run: { args: Record<string, never>; value: string };
  stop_run: { args: { run: string }; value: null };
  open_run: { args: { run: string }; value: null };
  run_again: { args: { run: string; endpoint: string }; value: string };
  order: {
    args: { filter: RowFilter; sort: RowSort; search: string; slice: string | null; limit: number };
    value: OrderReply;
  };
  next_flip: { args: { token: number; position: number; step: number }; value: { position: number | null } };
  rows: { args: { token: number; offset: number; limit: number }; value: { rows: RowView[] } };
  row: { args: { token: number; position: number }; value: RowView };
  begin_rating: {
    args: { baseline: string; candidate: string; rater: string; kind: RatingKind };
    value: null;
  };
  answer: { args: { number: number; choice: string }; value: null };
  take_back: { args: { number: number }; value: null };
  pause_rating: { args: Record<string, never>; value: null };
  reveal: { args: { early: boolean }; value: null };
  rated_row: { args: { row: number }; value: RatedTextsView };
  refresh_registry: { args: Record<string, never>; value: null };
  choose_label: { args: { label: string }; value: null };
  choose_target: { args: { to: string }; value: null };
  publish: { args: { version: string; reason: string }; value: PublishedView };
  move: { args: { label: string; to: string; reason: string; expected: string | null }; value: MovedView };
  roll_back: {
    args: { label: string; reason: string; expected: string; to: string | null };
    value: MovedView;
  };
  older_entries: { args: { before: number }; value: { items: EntryView[] } };
  published_units: { args: { versions: string[] }; value: { units: Record<string, UnitBody> } };
  plan_change: { args: { endpoint: string; suites: string[] }; value: ChangePlanView };
  evaluate_change: { args: { endpoint: string; suites: string[] }; value: null };
  cancel_change: { args: Record<string, never>; value: null };
  submit_evidence: { args: { reason: string }; value: SubmittedView };
}

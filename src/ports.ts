/**
 * The contract with the outside world, on one page. The core calls these; `adapters/` implements them; tests fake them.
 * Every wait takes an AbortSignal, and an aborted call throws the signal's reason.
 */
import type { KubeObject, ObjectRef } from './manifest/object.ts'
import type { Annotation } from './report/annotations.ts'
import type { Report } from './report/report.ts'
import type { Sources } from './inputs/sources.ts'

/** A kind that the API server serves, as its discovery documents describe it. */
export interface ResourceType {
  readonly apiVersion: string
  readonly kind: string
  /** As in URLs: `deployments`. */
  readonly plural: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

/** What a server is, as Helm's `.Capabilities` tell it. */
export interface Capabilities {
  /** `v1.37.2` */
  readonly version: string
  /** Versions of groups, and the kinds in them: `apps/v1`, `apps/v1/Deployment`. */
  readonly apiVersions: readonly string[]
}

/** What a login may do, as a rule of RBAC says it (rbac/v1 PolicyRule); `*` stands for all of them. */
export interface AccessRule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  /** Plurals; `pods/log` is a subresource. */
  readonly resources: readonly string[]
  /** The rule holds only for objects of these names; for all, when there are none. */
  readonly resourceNames: readonly string[]
}

/** A question to the API server: may this login do that? */
export interface AccessQuestion {
  readonly verb: string
  readonly group: string
  /** The plural; `pods/log` is a subresource. */
  readonly resource: string
  /** Absent for kinds that have none. */
  readonly namespace?: string
  /** Absent when all objects of the kind are meant. */
  readonly name?: string
}

/** Which objects of one kind; without a namespace, those of the whole cluster. */
export interface Query {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** What of each object is kept, so that a long list costs little memory. Everything, when absent. */
  readonly keep?: (object: KubeObject) => KubeObject
  /** A list stops when there are more than so many; all are listed when absent. */
  readonly most?: number
  /** Only `metadata` of each object is asked for: what else the objects hold may be large, or secret. */
  readonly metadataOnly?: boolean
}

/** What a list returned, and the resourceVersion (opaque) from which a watch goes on without a gap. */
export interface ObjectList {
  readonly objects: readonly KubeObject[]
  readonly resourceVersion: string
  /** There are more than `most` of the query, and not all are here. */
  readonly isCut?: boolean
}

/** What a watch tells. A consumer must judge the state that results, never count observations: they may repeat. */
export type Observation =
  /** The whole answer to the query, now: what is not in it does not exist. */
  | { readonly type: 'listed'; readonly objects: readonly KubeObject[] }
  | { readonly type: 'changed'; readonly object: KubeObject }
  | { readonly type: 'deleted'; readonly object: KubeObject }
  /** The API server cannot be observed for the moment; what was seen last may be out of date. */
  | { readonly type: 'lost'; readonly why: string }
  /** Observing again, after `lost`. */
  | { readonly type: 'found' }

export interface ApplyOptions {
  /** Validate and return the result without storing it. */
  readonly dryRun?: boolean
  /** Take fields that other managers own. */
  readonly force?: boolean
  readonly signal?: AbortSignal
}

/** The Kubernetes API of one cluster. Methods throw ClusterError. */
export interface Cluster {
  /** Host and port of the API server, for people. */
  readonly server: string
  /** The namespace that the kubeconfig's context names, if it names one. */
  readonly contextNamespace: string | undefined
  /** Undefined when the server does not serve the kind. Read once and kept; `fresh` reads it again (after a CRD was applied). */
  resourceType(
    apiVersion: string,
    kind: string,
    options?: { fresh?: boolean; signal?: AbortSignal },
  ): Promise<ResourceType | undefined>
  capabilities(signal?: AbortSignal): Promise<Capabilities>
  /** Undefined when there is no such object. */
  get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined>
  list(query: Query, signal?: AbortSignal): Promise<ObjectList>
  /** Server-side apply with field manager `rollsafe`, strict about unknown fields. Returns the object that results. */
  apply(object: KubeObject, options?: ApplyOptions): Promise<KubeObject>
  /** Creates the object, which must not exist yet: 409 AlreadyExists if it does. Returns the object that results. */
  create(object: KubeObject, signal?: AbortSignal): Promise<KubeObject>
  /** Replaces the list of field owners, if the object is still at `resourceVersion`. */
  replaceManagedFields(
    live: KubeObject,
    managedFields: NonNullable<KubeObject['metadata']['managedFields']>,
    signal?: AbortSignal,
  ): Promise<KubeObject>
  /** Replaces the object, if it is still at the resourceVersion it carries. */
  replace(object: KubeObject, signal?: AbortSignal): Promise<KubeObject>
  /**
   * Deletes exactly the object with that UID, its dependents in the background; with a resourceVersion only while nobody has
   * written it since. False when it is no longer there, or no longer that one.
   */
  delete(
    ref: ObjectRef,
    only: string | { readonly uid: string; readonly resourceVersion?: string },
    signal?: AbortSignal,
  ): Promise<boolean>
  /**
   * Follows a query until the signal aborts. With `from`, goes on from that resourceVersion; else begins with `listed`.
   * Reconnects by itself for as long as it takes; throws only what waiting cannot mend (forbidden, expired credentials).
   */
  watch(query: Query, options: { from?: string; signal: AbortSignal }): AsyncIterable<Observation>
  /** The last `lines` lines of a container's log; of its previous run when `previous`. */
  logs(
    pod: ObjectRef,
    container: string,
    options: { lines: number; previous?: boolean; signal?: AbortSignal },
  ): Promise<string>
  /** The log of a container line by line, from its beginning and for as long as the container runs. */
  followLogs(pod: ObjectRef, container: string, signal: AbortSignal): AsyncIterable<string>
  /** What the login may do in a namespace, as far as the server can list it: some authorizers only answer single questions. */
  rules(namespace: string, signal?: AbortSignal): Promise<readonly AccessRule[]>
  isAllowed(question: AccessQuestion, signal?: AbortSignal): Promise<boolean>
  /** The name of the user that the server takes the login for. */
  userName(signal?: AbortSignal): Promise<string>
  close(): Promise<void>
}

/** A comment that is edited in place by every later run. */
export interface StickyComment {
  /** Hidden text that marks the comment as this release's; it is the first line of the body. */
  readonly marker: string
  /** The body, given the one that an earlier run left; undefined for a new comment. */
  readonly render: (previous: string | undefined) => string
  readonly pullRequest: number
}

/** A pull request as it is now. */
export interface PullRequest {
  readonly state: 'open' | 'closed'
  /** The commit that it would merge. */
  readonly headSha: string
  /** Of the repository that it is to. */
  readonly repositoryId: number
}

/** GitHub's API. Methods throw when GitHub refuses or does not answer; callers turn that into a warning. */
export interface GitHub {
  /** Creates the comment, or edits the one an earlier run left. Returns its URL. */
  upsertComment(comment: StickyComment, signal: AbortSignal): Promise<string>
  pullRequest(number: number, signal: AbortSignal): Promise<PullRequest>
}

/** The workflow runner: log, annotations, masks, outputs, summary. All text that is printed goes through its one safe door. */
export interface Runner {
  info(text: string): void
  debug(text: string): void
  group<T>(title: string, body: () => Promise<T>): Promise<T>
  annotate(annotation: Annotation): void
  /** Hides a credential from everything that is printed from now on, here and in the runner's log, whatever it looks like. */
  mask(secret: string): void
  /**
   * Hides a value from what Rollsafe itself prints and writes from now on, unless it is a word that is spared: for the values of
   * Secrets, some of which are ordinary words. The job's own log and outputs stay as they are.
   */
  hide(value: string): void
  /** Names and words that are printed everywhere, and that a Secret's value may happen to be. */
  spare(words: Iterable<string>): void
  /** The text with each secret that was told of here replaced: for what is compared before it is printed. */
  replaceKnown(text: string, by: (secret: string) => string): string
  output(name: string, value: string): void
  /** Keeps a value for the post step of this same step. The last value of a name counts. */
  saveState(name: string, value: string): void
  /** Writes the job summary (Markdown). */
  summary(markdown: string): Promise<void>
  /** Writes the JSON report into the runner's temporary folder; returns its path. */
  writeReport(json: string): Promise<string>
}

/**
 * A text with manifests. `path` is for people: of a file of the checkout, relative to the workspace; of what was rendered, the
 * command that prints the text (`helm template charts/shop`).
 */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** What charts ask about the place they are rendered for. */
export interface ChartFacts {
  readonly release: string
  readonly namespace: string
  /** There is a good revision already: an upgrade, and no installation. */
  readonly isUpgrade: boolean
  readonly kubernetes: Capabilities
}

/** Turns the sources named in the inputs into manifest files; asks for facts only if there is a chart. Throws RejectedError. */
export interface Renderer {
  render(sources: Sources, facts: () => Promise<ChartFacts>, signal?: AbortSignal): Promise<SourceFile[]>
}

/** Container registries. */
export interface Registry {
  /** The digest that the tag of a reference stands for now, `sha256:…`. Throws RejectedError. */
  resolve(reference: string, signal: AbortSignal): Promise<string>
}

/** Pages of releases, as their users see them. */
export interface Web {
  /** The HTTP status of the page; redirects are not followed. Throws when nobody answers, or the address must not be asked. */
  ask(url: string, signal: AbortSignal): Promise<number>
}

/** Somebody outside who is told of a release: a deployment on GitHub, a channel, a dashboard. Best effort: a failure is a warning. */
export interface Notifier {
  /** For warnings, as the beginning of a sentence: `The deployment on GitHub`. */
  readonly name: string
  /** A release is about to write for the first time. */
  begin?(signal: AbortSignal): Promise<void>
  /** How the run has ended, whatever it came to. Also called for a run that never began to write. */
  end(report: Report, signal: AbortSignal): Promise<void>
}

export interface Clock {
  /** Milliseconds on a clock that never jumps; only differences mean anything. */
  now(): number
  /** The wall clock, for timestamps people read. */
  date(): Date
  /** Resolves after `ms`, or as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

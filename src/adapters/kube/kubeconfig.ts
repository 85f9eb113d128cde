import { type Problem, RejectedError, rejectIfAny } from '../../errors.ts'
import { parseDnsLabel } from '../../inputs/parse.ts'
import { isObject } from '../../manifest/object.ts'
import { readYaml } from '../../manifest/yaml.ts'
import { type Entry, type Refuse, textOf } from './fields.ts'

/** One kubeconfig text, and the folder its relative paths start from (absent when it did not come from a file). */
export interface KubeconfigText {
  readonly text: string
  /** How messages name it: the input `kubeconfig`, or a path. */
  readonly name: string
  readonly folder?: string
}

/** The cluster and the user of one context, still as written down. */
export interface KubeconfigContext {
  readonly name: string
  readonly namespace?: string
  readonly cluster: Entry
  readonly user: Entry
  readonly userName: string
  /** Where the relative paths of the cluster and of the user start from. */
  readonly clusterFolder?: string | undefined
  readonly userFolder?: string | undefined
}

const FIX_KUBECONFIG =
  'put the whole content of a kubeconfig file, or its base64, into a secret and pass it as the input kubeconfig'

const LISTS = ['clusters', 'contexts', 'users']
const LONGEST_NAMESPACE = 63

/**
 * Chooses one context out of one or several kubeconfigs. Of several entries with one name the first wins, as in kubectl
 * (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files).
 * Throws RejectedError.
 */
export function chooseContext(texts: readonly KubeconfigText[], wanted: string | undefined): KubeconfigContext {
  const problems: Problem[] = []
  const refuse: Refuse = (message, hint) => problems.push({ code: 'InvalidInput', message, hint })
  const files = texts.flatMap((file) => {
    const content = parse(file, refuse)
    return content === undefined ? [] : [{ content, folder: file.folder }]
  })
  rejectIfAny(problems)

  const find = (
    list: string,
    field: string,
    name: string,
  ): { value: Entry; folder?: string | undefined } | undefined => {
    for (const { content, folder } of files) {
      for (const entry of entriesOf(content[list])) {
        if (entry['name'] === name) return { value: isObject(entry[field]) ? entry[field] : {}, folder }
      }
    }
    return undefined
  }
  const names = files.flatMap(({ content }) => entriesOf(content['contexts']).map((entry) => String(entry['name'])))
  const current = files
    .map(({ content }) => content['current-context'])
    .find((name) => typeof name === 'string' && name !== '')
  const name = wanted ?? (typeof current === 'string' ? current : undefined)

  if (name === undefined) {
    refuse('the kubeconfig has no current-context', `name one in the input context: ${listed(names)}`)
  } else if (!names.includes(name)) {
    refuse(
      `${wanted === undefined ? 'current-context' : 'the input context'} names ${JSON.stringify(name)}, which the kubeconfig does not have`,
      `it has ${listed(names)}`,
    )
  }
  rejectIfAny(problems)

  const context = find('contexts', 'context', name ?? '')?.value ?? {}
  const cluster = find('clusters', 'cluster', String(context['cluster']))
  const userName = textOf(context, 'user', refuse) ?? ''
  const user = find('users', 'user', userName)
  if (!cluster)
    refuse(
      `context ${JSON.stringify(name)} names the cluster ${JSON.stringify(context['cluster'])}, which the kubeconfig does not have`,
      FIX_KUBECONFIG,
    )
  if (userName !== '' && !user)
    refuse(
      `context ${JSON.stringify(name)} names the user ${JSON.stringify(userName)}, which the kubeconfig does not have`,
      FIX_KUBECONFIG,
    )
  const namespace = namespaceOf(context, refuse)
  rejectIfAny(problems)

  return {
    name: name ?? '',
    ...(namespace !== undefined && { namespace }),
    cluster: cluster?.value ?? {},
    clusterFolder: cluster?.folder,
    user: user?.value ?? {},
    userFolder: user?.folder,
    userName,
  }
}

function parse(file: KubeconfigText, refuse: Refuse): Entry | undefined {
  let documents: unknown[]
  try {
    documents = readYaml({ path: file.name, text: file.text }).map(({ value }) => value)
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    // The words of the problem would quote the text, which holds credentials.
    const line = error.problems[0].at?.line
    refuse(`${file.name} cannot be read as YAML${line === undefined ? '' : ` (line ${line})`}`, FIX_KUBECONFIG)
    return undefined
  }
  const [content, ...more] = documents
  if (more.length > 0) {
    refuse(`${file.name} holds more than one document`, 'keep one; name several files in the variable KUBECONFIG')
    return undefined
  }
  if (isObject(content) && (content['kind'] === 'Config' || LISTS.some((list) => content[list] !== undefined))) {
    return content
  }
  // An empty file adds nothing to a list of files.
  if (content === undefined && file.folder !== undefined) return {}
  refuse(`${file.name} is not a kubeconfig: it has no clusters`, FIX_KUBECONFIG)
  return undefined
}

function namespaceOf(context: Entry, refuse: Refuse): string | undefined {
  const { namespace } = context
  if (namespace === undefined || namespace === null || namespace === '') return undefined
  const parsed = typeof namespace === 'string' ? parseDnsLabel(namespace, LONGEST_NAMESPACE) : undefined
  if (parsed?.ok) return parsed.value
  refuse(
    `the namespace of the context, ${JSON.stringify(namespace)}, is not a name of a namespace`,
    'correct it, or set the input namespace and leave it out',
  )
  return undefined
}

function entriesOf(list: unknown): Entry[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'no contexts' : names.map((name) => JSON.stringify(name)).join(', ')
}

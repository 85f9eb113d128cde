import type { GrafanaTarget } from '../inputs/notify.ts'
import { webAddress, withEntities } from './entities.ts'
import { sentence } from './format.ts'
import { HEADLINES } from './outcome.ts'
import type { Report } from './report.ts'

/** An annotation (https://grafana.com/docs/grafana/latest/developers/http_api/annotations/). Times are milliseconds since 1970. */
export interface GrafanaAnnotation {
  readonly dashboardUID?: string
  readonly panelId?: number
  readonly time?: number
  readonly timeEnd?: number
  readonly tags: readonly string[]
  readonly text: string
}

const LONGEST_CAUSE = 500

/** The annotation of a release that begins to write. */
export function openAnnotation(release: string, time: number, { tags, ...target }: GrafanaTarget): GrafanaAnnotation {
  return {
    ...placeOf(target),
    time,
    tags: [...tags, 'rollsafe', `release:${release}`],
    text: `Deploying release ${withEntities(release, 100)}`,
  }
}

/** What the annotation becomes at the end; a region, as it has a `timeEnd`. Grafana shows its text as HTML. */
export function closeAnnotation(report: Report, timeEnd: number, { tags }: GrafanaTarget): GrafanaAnnotation {
  const { emoji, words } = HEADLINES[report.outcome]
  const { release, namespace, outcome, reason, message } = report
  const url = webAddress(report.run?.url)
  const link = url === undefined ? '' : ` <a href="${withEntities(url).replaceAll('"', '%22')}">Run</a>`
  return {
    timeEnd,
    tags: [
      ...tags,
      'rollsafe',
      `release:${release}`,
      ...(namespace === '' ? [] : [`namespace:${namespace}`]),
      `outcome:${outcome}`,
      ...(reason === undefined ? [] : [`reason:${reason}`]),
    ],
    text: `${emoji} ${words}: release ${withEntities(release, 100)}. ${sentence(withEntities(message, LONGEST_CAUSE))}${link}`,
  }
}

/** The same, when there is none that was opened before. */
export function wholeAnnotation(
  report: Report,
  time: number,
  timeEnd: number,
  target: GrafanaTarget,
): GrafanaAnnotation {
  return { ...placeOf(target), time, ...closeAnnotation(report, timeEnd, target) }
}

function placeOf({
  dashboardUid,
  panelId,
}: Pick<GrafanaTarget, 'dashboardUid' | 'panelId'>): Partial<GrafanaAnnotation> {
  return {
    ...(dashboardUid !== undefined && { dashboardUID: dashboardUid }),
    ...(panelId !== undefined && { panelId }),
  }
}

import { describe, expect, it } from '@jest/globals'
import { groupingPath, renderMetrics } from '../../src/report/metrics.ts'
import { deployed, rolledBack } from '../fixtures/reports/reports.ts'

const valueOf = (text: string, name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]

describe('the metrics of a run', () => {
  it('tell when it was, how long it took and what it came to', () => {
    const text = renderMetrics(deployed)
    const ended = String(Date.parse(deployed.times.ended) / 1000)
    expect(valueOf(text, 'rollsafe_deploy_last_timestamp_seconds')).toBe(ended)
    expect(valueOf(text, 'rollsafe_deploy_last_success_timestamp_seconds')).toBe(ended)
    expect(valueOf(text, 'rollsafe_deploy_duration_seconds')).toBe('41.3')
    expect(valueOf(text, 'rollsafe_rollback')).toBe('0')
    expect(valueOf(text, 'rollsafe_deploy_lead_time_seconds')).toBe('1095.42')
    expect(text.match(/^rollsafe_deploy_outcome\{.*\} 1$/gm)).toEqual(['rollsafe_deploy_outcome{outcome="deployed"} 1'])
    expect(text.match(/^rollsafe_deploy_outcome\{.*\} 0$/gm)).toHaveLength(10)
  })

  it('say nothing of the last success when it was none, but how long the recovery took', () => {
    const text = renderMetrics(rolledBack)
    expect(text).not.toMatch(/last_success|lead_time/)
    expect(valueOf(text, 'rollsafe_rollback')).toBe('1')
    expect(valueOf(text, 'rollsafe_recovery_seconds')).toBe('33.7')
    expect(text).toContain('rollsafe_deploy_outcome{outcome="rolled-back"} 1\n')
  })

  it.each([
    [{}, '/job/rollsafe/release/shop/namespace/shop'],
    [{ cluster: 'eu-1' }, '/job/rollsafe/release/shop/namespace/shop/cluster/eu-1'],
    [{ cluster: 'eu/1 ü' }, '/job/rollsafe/release/shop/namespace/shop/cluster@base64/ZXUvMSDDvA'],
    [{ cluster: '..' }, '/job/rollsafe/release/shop/namespace/shop/cluster@base64/Li4'],
    [{ namespace: '' }, '/job/rollsafe/release/shop/namespace@base64/='],
  ])('belong to the release, and to no run: %j', (more, path) => {
    expect(groupingPath({ job: 'rollsafe', release: 'shop', namespace: 'shop', ...more })).toBe(path)
  })
})

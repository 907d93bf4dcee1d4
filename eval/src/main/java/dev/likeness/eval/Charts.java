package dev.likeness.eval;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;

/** Curves as PNG files, one for light pages and one for dark ones. */
final class Charts {

    private static final int WIDTH = 620;
    private static final int HEIGHT = 360;
    private static final Color[] LINES = {new Color(0x2F7EDB), new Color(0xD9722B)};

    private Charts() {}

    /**
     * @param dark whether it stands on a dark page
     * @return null when no point of it was measured
     */
    static byte[] png(Suite.Curve curve, Map<String, Map<Instrument, Summary>> summaries, boolean dark) {
        XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).xAxisTitle(curve.parameter())
                .yAxisTitle(curve.instrument().heading()).build();
        boolean empty = true;
        for (Map.Entry<String, Map<Double, String>> line : curve.series().entrySet()) {
            Map<Double, Summary> measured = new TreeMap<>();
            line.getValue().forEach((parameter, method) -> {
                Summary summary = summaries.get(method).get(curve.instrument());
                if (summary != null) {
                    measured.put(parameter, summary);
                }
            });
            if (!measured.isEmpty()) {
                empty = false;
                chart.addSeries(line.getKey(), measured.keySet().stream().mapToDouble(parameter -> parameter).toArray(),
                        measured.values().stream().mapToDouble(one -> shown(curve, one.mean())).toArray(),
                        measured.values().stream().mapToDouble(one -> one.subjects() < 2 ? 0 : shown(curve, one.margin()))
                                .toArray());
            }
        }
        if (empty) {
            return null;
        }
        Color page = dark ? new Color(0x14181D) : Color.WHITE; // as the report's
        Color ink = dark ? new Color(0xD8DEE6) : new Color(0x2A3038);
        chart.getStyler().setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        chart.getStyler().setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        chart.getStyler().setPlotGridLinesColor(dark ? new Color(0x3A424C) : new Color(0xDDE2E8));
        chart.getStyler().setAxisTickLabelsColor(ink).setErrorBarsColorSeriesColor(true);
        chart.getStyler().setXAxisTitleColor(ink).setYAxisTitleColor(ink).setChartFontColor(ink).setMarkerSize(6)
                .setChartBackgroundColor(page).setPlotBackgroundColor(page).setPlotBorderVisible(false)
                .setLegendBackgroundColor(page).setLegendBorderColor(page).setLegendPosition(LegendPosition.OutsideE)
                .setSeriesColors(LINES);
        try {
            return BitmapEncoder.getBitmapBytes(chart, BitmapEncoder.BitmapFormat.PNG);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
    }

    private static double shown(Suite.Curve curve, double value) {
        return curve.instrument().shown(value);
    }
}

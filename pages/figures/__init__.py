"""Figures and live passages: functions of a view, in plotly and HTML, without Streamlit."""

"""The real program, from outside: started with a configuration, spoken to through its doors, judged by what arrives."""
